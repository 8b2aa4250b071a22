/** Samples for `lax/cumulative.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/cumulative.ts";
import type { DType, HostArray, Shape } from "./core.ts";
import { integers } from "./elementwise.ts";
import { type Generator, type Sample, arrays, distinctArrays, shapes } from "./generator.ts";

const along = (
  fill: (shape: Shape, dtype: DType) => fc.Arbitrary<HostArray>,
  dtypes: readonly DType[],
): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes({ minDims: 1, maxLength: 6 }), fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) =>
      fc.tuple(fill(shape, dtype), fc.integer({ min: 0, max: shape.length - 1 }), fc.boolean()),
    )
    .map(([x, axis, reverse]) => ({ ins: [x], params: { axis, reverse } }));

const floats: readonly DType[] = ["float64", "float32"];
const zeros = (shape: Shape, dtype: DType): fc.Arbitrary<HostArray> =>
  arrays(shape, dtype).map((x) => ({ ...x, data: x.data.map(Math.round) }));

export const generators: readonly Generator[] = [
  { primitive: lax.cumsumP, sample: along(arrays, floats) },
  { primitive: lax.cumsumP, label: "complex", tolerance: 3e-2, sample: along(arrays, ["complex64"]) },
  { primitive: lax.cumprodP, sample: along(arrays, floats) },
  { primitive: lax.cumprodP, label: "zeros", sample: along(zeros, floats) },
  { primitive: lax.cumprodP, label: "complex", tolerance: 3e-2, sample: along(arrays, ["complex64"]) },
  { primitive: lax.cummaxP, sample: along(distinctArrays, floats) },
  { primitive: lax.cumminP, sample: along(distinctArrays, floats) },
  { primitive: lax.cumlogsumexpP, sample: along(arrays, floats) },
  ...[lax.cumsumP, lax.cumprodP, lax.cummaxP, lax.cumminP].map((primitive) => ({
    primitive,
    label: "integers",
    sample: along(arrays, integers),
  })),
];
