/** Samples for `lax/reduce.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/reduce.ts";
import type { AnyPrimitive, DType, HostArray, Shape } from "./core.ts";
import { integers } from "./elementwise.ts";
import { type Generator, type Sample, arrays, distinctArrays, shapes } from "./generator.ts";

type Fill = (shape: Shape, dtype: DType) => fc.Arbitrary<HostArray>;

const overAxes = (fill: Fill, dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes(), fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) => fc.tuple(fill(shape, dtype), fc.subarray(shape.map((_, i) => i))))
    .map(([x, axes]) => ({ ins: [x], params: { axes } }));

const overAxis = (fill: Fill, dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes({ minDims: 1 }), fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) =>
      fc.tuple(
        fill(shape, dtype),
        fc.integer({ min: 0, max: shape.length - 1 }),
        fc.constantFrom<DType>("int32", "uint8"),
      ),
    )
    .map(([x, axis, indexDtype]) => ({ ins: [x], params: { axes: [axis], indexDtype } }));

const floats: readonly DType[] = ["float64", "float32"];
const ties: Fill = (shape, dtype) => arrays(shape, dtype, { min: 0, max: 1 });
const logical: readonly DType[] = ["bool", ...integers];
const extremum = (primitive: AnyPrimitive): Generator[] => [
  { primitive, sample: overAxes(distinctArrays, floats) },
  { primitive, label: "ties", smooth: false, sample: overAxes(ties, [...floats, ...logical]) },
  { primitive, label: "complex", smooth: false, sample: overAxes(arrays, ["complex64"]) },
];

export const generators: readonly Generator[] = [
  ...extremum(lax.reduceMaxP),
  ...extremum(lax.reduceMinP),
  { primitive: lax.reduceProdP, sample: overAxes(arrays, floats) },
  // Small integers: many zeros, where a derivative by division would fail.
  {
    primitive: lax.reduceProdP,
    label: "zeros",
    sample: overAxes((s, d) => arrays(s, d).map((x) => ({ ...x, data: x.data.map(Math.round) })), floats),
  },
  { primitive: lax.reduceProdP, label: "integers", sample: overAxes(arrays, integers) },
  { primitive: lax.reduceProdP, label: "complex", tolerance: 3e-2, sample: overAxes(arrays, ["complex64"]) },
  ...[lax.reduceAndP, lax.reduceOrP, lax.reduceXorP].map((primitive) => ({
    primitive,
    sample: overAxes(arrays, logical),
  })),
  ...[lax.argmaxP, lax.argminP].flatMap((primitive) => [
    { primitive, sample: overAxis(distinctArrays, floats) },
    { primitive, label: "ties", sample: overAxis(ties, [...floats, ...logical]) },
  ]),
];
