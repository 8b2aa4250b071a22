/** Samples for `lax/scatter.ts`. */
import fc from "fast-check";
import { scatterAddP, scatterMaxP, scatterMinP, scatterMulP, scatterP } from "../../src/lax/scatter.ts";
import type { DType, HostArray, Shape } from "./core.ts";
import { type Generator, type Sample, arrays, distinctArrays } from "./generator.ts";
import { indexing } from "./indexing.ts";

type Fill = (shape: Shape, dtype: DType) => fc.Arbitrary<HostArray>;

const sample = (
  dtypes: readonly DType[],
  options: { readonly unique?: boolean; readonly operand?: Fill; readonly updates?: Fill } = {},
): fc.Arbitrary<Sample> => {
  const { unique = false, operand: fillOperand = arrays, updates: fillUpdates = arrays } = options;
  return fc
    .tuple(indexing({ single: unique }), fc.constantFrom(...dtypes))
    .chain(([{ mode, operand, indices, dims, batched }, dtype]) =>
      fc.tuple(fillOperand(operand, dtype), fillUpdates(batched, dtype)).map(([x, updates]) => ({
        ins: [x, indices, updates],
        params: {
          dimensionNumbers: {
            updateWindowDims: dims.windowDims,
            insertedWindowDims: dims.collapsedDims,
            scatterDimsToOperandDims: dims.indexMap,
            operandBatchingDims: dims.operandBatchingDims,
            scatterIndicesBatchingDims: dims.indicesBatchingDims,
          },
          mode,
          uniqueIndices: unique,
          indicesAreSorted: false,
        },
      })),
    );
};

const floats: readonly DType[] = ["float64", "float32"];
const others: readonly DType[] = ["int32", "uint8", "bool", "complex64", "float16"];
/** Distinct from every operand value, which are multiples of an eighth. */
const between: Fill = (shape, dtype) =>
  distinctArrays(shape, dtype).map((x) => ({ ...x, data: x.data.map((v) => v + 0.0625) }));

const extremum = (primitive: typeof scatterMinP): Generator[] => [
  { primitive, sample: sample(floats, { operand: distinctArrays, updates: between }) },
  { primitive, label: "ties", smooth: false, sample: sample([...floats, ...others]) },
];

export const generators: readonly Generator[] = [
  { primitive: scatterP, sample: sample(floats) },
  { primitive: scatterP, label: "unique indices", sample: sample(floats, { unique: true }) },
  { primitive: scatterP, label: "other dtypes", smooth: false, sample: sample([...others, "key<fry>"]) },
  { primitive: scatterAddP, sample: sample(floats) },
  { primitive: scatterAddP, label: "other dtypes", smooth: false, sample: sample(others) },
  { primitive: scatterMulP, sample: sample(floats, { updates: (s, d) => arrays(s, d, { avoid: [0] }) }) },
  { primitive: scatterMulP, label: "unique indices", sample: sample(floats, { unique: true }) },
  // Zeros among the factors, where a derivative by division would fail; the second derivative is not right there.
  {
    primitive: scatterMulP,
    label: "zeros",
    smooth: false,
    sample: sample(floats, { updates: (s, d) => arrays(s, d).map((x) => ({ ...x, data: x.data.map(Math.round) })) }),
  },
  { primitive: scatterMulP, label: "other dtypes", smooth: false, sample: sample(others) },
  ...extremum(scatterMinP),
  ...extremum(scatterMaxP),
];
