/** Samples for `lax/randomBits.ts`. */
import type fc from "fast-check";
import * as lax from "../../src/lax/randomBits.ts";
import type { HostArray, Shape } from "./core.ts";
import { elementwise } from "./elementwise.ts";
import { type Generator, arrays, shapes } from "./generator.ts";

const words = (shape: Shape): fc.Arbitrary<HostArray> => arrays(shape, "uint32", { max: 2 ** 31 - 1 });

export const generators: readonly Generator[] = [
  elementwise(lax.threefry2x32P, [{ max: 2 ** 31 - 1 }, {}, {}, { max: 100 }], { dtypes: ["uint32"] }),
  {
    primitive: lax.randomWrapP,
    sample: shapes().chain((s) => words([...s, 2]).map((x) => ({ ins: [x], params: null }))),
  },
  {
    primitive: lax.randomUnwrapP,
    sample: shapes().chain((s) =>
      words([...s, 2]).map((x) => ({ ins: [{ shape: s, dtype: "key<fry>" as const, data: x.data }], params: null })),
    ),
  },
];
