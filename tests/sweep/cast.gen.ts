/** Samples for `lax/cast.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/cast.ts";
import type { DType } from "./core.ts";
import { elementwise } from "./elementwise.ts";
import { type Generator, arrays, shapes } from "./generator.ts";

const words: readonly (readonly [DType, DType])[] = [
  ["float32", "int32"],
  ["float32", "uint32"],
  ["int32", "float32"],
  ["float16", "uint16"],
  ["uint16", "bfloat16"],
  ["float64", "uint32"],
  ["float32", "uint8"],
];
const joined: readonly (readonly [DType, DType, number])[] = [
  ["uint8", "uint32", 4],
  ["uint16", "float32", 2],
  ["float32", "float64", 2],
];

export const generators: readonly Generator[] = [
  {
    primitive: lax.bitcastConvertTypeP,
    smooth: false,
    sample: fc
      .tuple(shapes(), fc.constantFrom(...words))
      .chain(([shape, [from, newDtype]]) => arrays(shape, from).map((x) => ({ ins: [x], params: { newDtype } }))),
  },
  {
    primitive: lax.bitcastConvertTypeP,
    label: "joining the last axis",
    smooth: false,
    sample: fc
      .tuple(shapes({ maxDims: 2 }), fc.constantFrom(...joined))
      .chain(([shape, [from, newDtype, n]]) =>
        arrays([...shape, n], from).map((x) => ({ ins: [x], params: { newDtype } })),
      ),
  },
  // The derivative is that of the identity, which differences of rounded values do not show; tangents are rounded too.
  elementwise(lax.reducePrecisionP, [{}], {
    smooth: false,
    tolerance: 1e-2,
    params: fc.record({ exponentBits: fc.integer({ min: 5, max: 8 }), mantissaBits: fc.integer({ min: 10, max: 20 }) }),
  }),
];
