/** Samples for `lax/movement.ts`. */
import fc from "fast-check";
import { type PadAxis, concatenateP, padP, revP, sliceP } from "../../src/lax/movement.ts";
import type { DType } from "./core.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

const floats: readonly DType[] = ["float64", "float32"];
const others: readonly DType[] = ["int32", "bool", "complex64", "key<fry>", "bfloat16"];
type Of = (dtypes: readonly DType[]) => fc.Arbitrary<Sample>;

const anyShape = shapes({ minLength: 0 });

const slice: Of = (dtypes) =>
  fc.tuple(anyShape, fc.constantFrom(...dtypes)).chain(([shape, dtype]) =>
    fc
      .tuple(
        arrays(shape, dtype),
        fc.tuple(
          ...shape.map((n) =>
            fc.tuple(fc.integer({ min: 0, max: n }), fc.integer({ min: 0, max: n }), fc.integer({ min: 1, max: 3 })),
          ),
        ),
        fc.boolean(),
      )
      .map(([x, bounds, strided]) => ({
        ins: [x],
        params: {
          startIndices: bounds.map(([a, b]) => Math.min(a, b)),
          limitIndices: bounds.map(([a, b]) => Math.max(a, b)),
          strides: strided ? bounds.map(([, , s]) => s) : null,
        },
      })),
  );

/** Cuts at most what is there. */
const padding = (n: number): fc.Arbitrary<PadAxis> =>
  fc
    .tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 2 }))
    .filter(([low, high, gap]) => low + high + (n === 0 ? 0 : (n - 1) * (gap + 1) + 1) >= 0);

const pad: Of = (dtypes) =>
  fc
    .tuple(anyShape, fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) => fc.tuple(arrays(shape, dtype), arrays([], dtype), fc.tuple(...shape.map(padding))))
    .map(([x, value, paddingConfig]) => ({ ins: [x, value], params: { paddingConfig } }));

const rev: Of = (dtypes) =>
  fc
    .tuple(anyShape, fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) => fc.tuple(arrays(shape, dtype), fc.subarray(shape.map((_, i) => i))))
    .map(([x, dimensions]) => ({ ins: [x], params: { dimensions } }));

const concatenate: Of = (dtypes) =>
  fc
    .tuple(
      shapes({ minDims: 1, minLength: 0 }),
      fc.constantFrom(...dtypes),
      fc.nat(),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
    )
    .chain(([shape, dtype, pick, lengths]) => {
      const dimension = pick % shape.length;
      return fc
        .tuple(
          ...lengths.map((n) =>
            arrays(
              shape.map((m, i) => (i === dimension ? n : m)),
              dtype,
            ),
          ),
        )
        .map((ins) => ({ ins, params: { dimension } }));
    });

export const generators: readonly Generator[] = (
  [
    [sliceP, slice],
    [padP, pad],
    [revP, rev],
    [concatenateP, concatenate],
  ] as const
).flatMap(([primitive, of]) => [
  { primitive, sample: of(floats) },
  { primitive, label: "other dtypes", smooth: false, sample: of(others) },
]);
