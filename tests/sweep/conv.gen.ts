/** Samples for `lax/conv.ts`. */
import fc from "fast-check";
import type { ConvParams } from "../../src/lax/conv.ts";
import { convGeneralDilatedP } from "../../src/lax/conv.ts";
import { outOfOrder } from "../../src/lax/convDimensions.ts";
import { type Pads, dilated } from "../../src/lax/windowGeometry.ts";
import { type DType, range } from "./core.ts";
import { type Generator, type Sample, arrays } from "./generator.ts";

type Grouping = "none" | "feature" | "batch";
const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

/** One spatial axis; padding may cut, but never more than there is. */
const axis = fc
  .record({
    n: small(5),
    k: small(3),
    stride: small(3),
    lhsDilation: small(2),
    rhsDilation: small(2),
    low: fc.integer({ min: -1, max: 2 }),
    high: fc.integer({ min: -1, max: 2 }),
  })
  .filter((a) => dilated(a.n, a.lhsDilation) + a.low + a.high >= 0);

const spec = (n: number): fc.Arbitrary<number[]> => fc.shuffledSubarray(range(n), { minLength: n, maxLength: n });

const conv = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      fc.array(axis, { maxLength: 2 }),
      small(2),
      small(2),
      small(2),
      small(3),
      fc.constantFrom<Grouping>("none", "feature", "batch"),
      fc.constantFrom(...dtypes),
    )
    .chain(([axes, batch, inFeatures, outFeatures, groups, grouping, dtype]) => {
      const rank = axes.length + 2;
      const count = grouping === "none" ? 1 : groups;
      const lhs = [
        batch * (grouping === "batch" ? count : 1),
        inFeatures * (grouping === "feature" ? count : 1),
        ...axes.map((a) => a.n),
      ];
      const rhs = [outFeatures * count, inFeatures, ...axes.map((a) => a.k)];
      return fc.tuple(spec(rank), spec(rank), spec(rank)).chain(([lhsSpec, rhsSpec, outSpec]) => {
        const params: ConvParams = {
          windowStrides: axes.map((a) => a.stride),
          padding: axes.map((a): Pads => [a.low, a.high]),
          lhsDilation: axes.map((a) => a.lhsDilation),
          rhsDilation: axes.map((a) => a.rhsDilation),
          dimensionNumbers: { lhsSpec, rhsSpec, outSpec },
          featureGroupCount: grouping === "feature" ? count : 1,
          batchGroupCount: grouping === "batch" ? count : 1,
          precision: null,
          preferredElementType: null,
        };
        return fc
          .tuple(arrays(outOfOrder(lhs, lhsSpec), dtype), arrays(outOfOrder(rhs, rhsSpec), dtype))
          .map((ins) => ({ ins, params }));
      });
    });

export const generators: readonly Generator[] = [
  { primitive: convGeneralDilatedP, sample: conv(["float64", "float32"]) },
  { primitive: convGeneralDilatedP, label: "other dtypes", smooth: false, sample: conv(["int32", "uint8", "float16"]) },
  { primitive: convGeneralDilatedP, label: "complex", tolerance: 3e-2, sample: conv(["complex64"]) },
];
