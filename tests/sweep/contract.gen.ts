/** Samples for `lax/contract.ts`. */
import fc from "fast-check";
import { dotGeneralP } from "../../src/lax/contract.ts";
import { type DType, range } from "./core.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

/** Lengths of batch, contracted and kept axes, each operand's axes then shuffled. */
const dot = (dtypes: readonly DType[], preferred: DType | null = null): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      shapes({ maxDims: 2, maxLength: 3 }),
      shapes({ maxDims: 2 }),
      shapes({ maxDims: 2, maxLength: 5 }),
      shapes({ maxDims: 2 }),
      fc.constantFrom(...dtypes),
    )
    .chain(([batch, contracted, left, right, dtype]) => {
      const operand = (kept: readonly number[]) => {
        const lengths = [...batch, ...contracted, ...kept];
        const n = lengths.length;
        return fc.shuffledSubarray(range(n), { minLength: n, maxLength: n }).chain((order) => {
          const shape = order.map((i) => lengths[i]!);
          const at = (first: number, count: number): number[] => range(count).map((i) => order.indexOf(first + i));
          return arrays(shape, dtype).map((x) => ({
            x,
            batch: at(0, batch.length),
            contracting: at(batch.length, contracted.length),
          }));
        });
      };
      return fc.tuple(operand(left), operand(right)).map(([a, b]) => ({
        ins: [a.x, b.x],
        params: {
          dimensionNumbers: [
            [a.contracting, b.contracting],
            [a.batch, b.batch],
          ],
          precision: null,
          preferredElementType: preferred,
        },
      }));
    });

export const generators: readonly Generator[] = [
  { primitive: dotGeneralP, sample: dot(["float64", "float32"]) },
  {
    primitive: dotGeneralP,
    label: "preferred dtype",
    smooth: false,
    sample: dot(["float16", "bfloat16", "int8"], "float32"),
  },
  { primitive: dotGeneralP, label: "other dtypes", smooth: false, sample: dot(["int32", "uint8", "bool", "float16"]) },
  { primitive: dotGeneralP, label: "complex", tolerance: 3e-2, sample: dot(["complex64"]) },
];
