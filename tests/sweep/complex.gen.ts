/** Samples for `lax/complex.ts`. */
import * as lax from "../../src/lax/complex.ts";
import { complexCase, elementwise } from "./elementwise.ts";
import type { Generator } from "./generator.ts";

export const generators: readonly Generator[] = [
  elementwise(lax.complexP, [{}, {}], { dtypes: ["float32"], tolerance: 3e-2 }),
  complexCase(lax.realP, [{}]),
  complexCase(lax.imagP, [{}]),
  complexCase(lax.conjP, [{}]),
  elementwise(lax.conjP, [{}], { dtypes: ["float32"], label: "real", tolerance: 3e-2 }),
];
