/** Samples for `lax/gather.ts`. */
import fc from "fast-check";
import { gatherP } from "../../src/lax/gather.ts";
import type { DType } from "./core.ts";
import { type Generator, type Sample, arrays } from "./generator.ts";
import { indexing } from "./indexing.ts";

const sample = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc.tuple(indexing(), fc.constantFrom(...dtypes)).chain(([{ mode, operand, indices, dims, window }, dtype]) =>
    arrays(operand, dtype).map((x) => ({
      ins: [x, indices],
      params: {
        dimensionNumbers: {
          offsetDims: dims.windowDims,
          collapsedSliceDims: dims.collapsedDims,
          startIndexMap: dims.indexMap,
          operandBatchingDims: dims.operandBatchingDims,
          startIndicesBatchingDims: dims.indicesBatchingDims,
        },
        sliceSizes: window,
        mode,
        fillValue: mode === "fill" ? 1 : null,
        uniqueIndices: false,
        indicesAreSorted: false,
      },
    })),
  );

export const generators: readonly Generator[] = [
  { primitive: gatherP, sample: sample(["float64", "float32"]) },
  {
    primitive: gatherP,
    label: "other dtypes",
    smooth: false,
    sample: sample(["int32", "bool", "complex64", "key<fry>", "float16"]),
  },
];
