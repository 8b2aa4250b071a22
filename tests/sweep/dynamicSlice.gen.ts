/** Samples for `lax/dynamicSlice.ts`. */
import fc from "fast-check";
import { dynamicSliceP, dynamicUpdateSliceP } from "../../src/lax/dynamicSlice.ts";
import { type DType, type HostArray, allocate } from "./core.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

/** Positions, some of them outside. */
const start = fc
  .tuple(fc.integer({ min: -2, max: 5 }), fc.constantFrom<DType>("int32", "int8"))
  .map(([value, dtype]): HostArray => {
    const data = allocate(dtype, 1);
    data[0] = value;
    return { shape: [], dtype, data };
  });

interface Block {
  readonly x: HostArray;
  readonly dtype: DType;
  readonly block: readonly number[];
  readonly starts: readonly HostArray[];
}
const blocks = (dtypes: readonly DType[]): fc.Arbitrary<Block> =>
  fc
    .tuple(shapes(), fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) =>
      fc
        .tuple(
          arrays(shape, dtype),
          fc.tuple(...shape.map((n) => fc.integer({ min: 0, max: n }))),
          fc.tuple(...shape.map(() => start)),
        )
        .map(([x, block, starts]) => ({ x, dtype, block, starts })),
    );

const read = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  blocks(dtypes).map(({ x, block, starts }) => ({ ins: [x, ...starts], params: { sliceSizes: block } }));
const write = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  blocks(dtypes).chain(({ x, dtype, block, starts }) =>
    arrays(block, dtype).map((update) => ({ ins: [x, update, ...starts], params: null })),
  );

const floats: readonly DType[] = ["float64", "float32"];
const others: readonly DType[] = ["int32", "bool", "complex64", "key<fry>"];

export const generators: readonly Generator[] = [
  { primitive: dynamicSliceP, sample: read(floats) },
  { primitive: dynamicSliceP, label: "other dtypes", smooth: false, sample: read(others) },
  { primitive: dynamicUpdateSliceP, sample: write(floats) },
  { primitive: dynamicUpdateSliceP, label: "other dtypes", smooth: false, sample: write(others) },
];
