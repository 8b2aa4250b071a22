/** Samples for `lax/sort.ts`. */
import fc from "fast-check";
import { sortP, topKP } from "../../src/lax/sort.ts";
import type { DType, HostArray, Shape } from "./core.ts";
import { type Generator, type Sample, arrays, distinctArrays, shapes } from "./generator.ts";

type Fill = (shape: Shape, dtype: DType) => fc.Arbitrary<HostArray>;
const few: Fill = (shape, dtype) => arrays(shape, dtype, { min: 0, max: 1 });
const floats: readonly DType[] = ["float64", "float32"];

const sort = (fill: Fill, dtypes: readonly DType[], several: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      shapes({ minDims: 1 }),
      fc.constantFrom(...dtypes),
      fc.nat(),
      fc.integer({ min: 0, max: 2 }),
      fc.nat(),
      fc.constantFrom(...several),
    )
    .chain(([shape, dtype, axis, more, keys, other]) =>
      fc.tuple(fill(shape, dtype), ...Array.from({ length: more }, () => fill(shape, other))).map((ins) => ({
        ins,
        params: { dimension: axis % shape.length, isStable: true, numKeys: 1 + (keys % (1 + more)) },
      })),
    );

const topK = (fill: Fill, dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes({ minDims: 1 }), fc.constantFrom(...dtypes), fc.nat(), fc.nat())
    .chain(([shape, dtype, pick, count]) => {
      const axis = pick % shape.length;
      return fill(shape, dtype).map((x) => ({
        ins: [x],
        params: { axis, k: count % (shape[axis]! + 1), isStable: true },
      }));
    });

export const generators: readonly Generator[] = [
  { primitive: sortP, sample: sort(distinctArrays, floats, floats) },
  {
    primitive: sortP,
    label: "ties",
    smooth: false,
    sample: sort(few, ["float32", "int32", "bool", "complex64"], ["int32", "float16", "complex64"]),
  },
  { primitive: topKP, sample: topK(distinctArrays, floats) },
  { primitive: topKP, label: "ties", smooth: false, sample: topK(few, ["float32", "int32", "uint8", "bool"]) },
];
