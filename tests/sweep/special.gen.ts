/** Samples for `lax/special.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/special.ts";
import { elementwise } from "./elementwise.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

const positive = { min: 0.25, max: 4 };
const orders: fc.Arbitrary<Sample> = fc
  .tuple(shapes(), fc.constantFrom("float64" as const, "float32" as const))
  .chain(([shape, dtype]) => fc.tuple(arrays(shape, dtype, { min: 0, max: 3 }), arrays(shape, dtype, positive)))
  .map(([m, x]) => ({ ins: [{ ...m, data: m.data.map(Math.floor) }, x], params: null }));

export const generators: readonly Generator[] = [
  elementwise(lax.erfP, [{}]),
  elementwise(lax.erfcP, [{}]),
  elementwise(lax.erfInvP, [{ min: -0.875, max: 0.875 }]),
  elementwise(lax.lgammaP, [positive]),
  elementwise(lax.digammaP, [positive]),
  { primitive: lax.polygammaP, sample: orders, nonDifferentiable: [0] },
  elementwise(lax.zetaP, [{ min: 1.5, max: 4 }, positive], { nonDifferentiable: [0] }),
];
