/** Samples for `lax/creation.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/creation.ts";
import type { DType } from "./core.ts";
import { type Generator, shapes } from "./generator.ts";

export const generators: readonly Generator[] = [
  {
    primitive: lax.iotaP,
    sample: fc
      .tuple(
        shapes({ minDims: 1, minLength: 0 }),
        fc.constantFrom<DType>("int32", "uint8", "float32", "float64", "bfloat16", "complex64"),
      )
      .chain(([shape, dtype]) =>
        fc
          .integer({ min: 0, max: shape.length - 1 })
          .map((dimension) => ({ ins: [], params: { dtype, shape, dimension } })),
      ),
  },
];
