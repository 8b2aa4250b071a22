/** Samples for `lax/bitwise.ts`. */
import * as lax from "../../src/lax/bitwise.ts";
import type { DType } from "./core.ts";
import { elementwise, integers } from "./elementwise.ts";
import type { Generator } from "./generator.ts";

const logical: readonly DType[] = ["bool", ...integers];
const whole = { max: 120 };
export const generators: readonly Generator[] = [
  ...[lax.andP, lax.orP, lax.xorP].map((p) => elementwise(p, [{}, {}], { dtypes: logical })),
  elementwise(lax.notP, [{}], { dtypes: logical }),
  ...[lax.shiftLeftP, lax.shiftRightLogicalP, lax.shiftRightArithmeticP].map((p) =>
    elementwise(p, [whole, { max: 35 }], { dtypes: integers }),
  ),
  elementwise(lax.populationCountP, [whole], { dtypes: integers }),
  elementwise(lax.clzP, [whole], { dtypes: integers }),
];
