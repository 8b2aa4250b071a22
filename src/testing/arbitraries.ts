/** fast-check arbitraries for shapes, dtypes, arrays and pytrees. */
import fc from "fast-check";
import { type DType, isBool, isComplex, isInteger, isUnsigned } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { allocate, roundInPlace } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type Shape, sizeOf } from "../core/shape.ts";

export interface ShapeOptions {
  readonly minDims?: number;
  readonly maxDims?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Shapes; by default up to three axes of lengths one to four. */
export const shapes = (options: ShapeOptions = {}): fc.Arbitrary<number[]> => {
  const { minDims = 0, maxDims = 3, minLength = 1, maxLength = 4 } = options;
  return fc.array(fc.integer({ min: minLength, max: maxLength }), { minLength: minDims, maxLength: maxDims });
};

const numeric: readonly DType[] = [
  "bool",
  "int8",
  "int16",
  "int32",
  "uint8",
  "uint16",
  "uint32",
  "float16",
  "bfloat16",
  "float32",
  "float64",
  "complex64",
];

/** Dtypes, keys excepted. */
export const dtypes = (among: readonly DType[] = numeric): fc.Arbitrary<DType> => fc.constantFrom(...among);

/** Pairs of shapes that broadcast together. */
export const broadcastableShapes = (options: ShapeOptions = {}): fc.Arbitrary<[number[], number[]]> =>
  shapes(options).chain((shape) => {
    const reduced = fc
      .tuple(fc.nat(shape.length), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }))
      .map(([drop, ones]) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(drop));
    return fc.tuple(fc.constant(shape), reduced);
  });

export interface ArrayOptions {
  readonly shape?: Shape | fc.Arbitrary<Shape>;
  readonly dtype?: DType | fc.Arbitrary<DType>;
  /** Smallest and largest value. Default -2 to 2 for floats, the small integers of the dtype otherwise. */
  readonly min?: number;
  readonly max?: number;
}

/** Arrays; floats are multiples of 1/64, so that sums are exact and ties occur. */
export function arrays(options: ArrayOptions = {}): fc.Arbitrary<NDArray> {
  const shape = asArbitrary<Shape>(options.shape ?? shapes());
  const dtype = asArbitrary<DType>(options.dtype ?? "float32");
  return fc.tuple(shape, dtype).chain(([s, d]) => {
    const n = sizeOf(s) * (isComplex(d) ? 2 : 1);
    return fc.array(values(d, options), { minLength: n, maxLength: n }).map((list) => {
      const data = allocate(d, sizeOf(s));
      data.set(list);
      return evaluator().fromHost(roundInPlace({ shape: s, dtype: d, data }), false);
    });
  });
}

function values(d: DType, { min, max }: ArrayOptions): fc.Arbitrary<number> {
  if (isBool(d)) return fc.integer({ min: 0, max: 1 });
  if (isInteger(d)) return fc.integer({ min: Math.ceil(min ?? (isUnsigned(d) ? 0 : -5)), max: Math.floor(max ?? 5) });
  return fc.integer({ min: Math.ceil((min ?? -2) * 64), max: Math.floor((max ?? 2) * 64) }).map((k) => k / 64);
}

const asArbitrary = <T>(x: T | fc.Arbitrary<T>): fc.Arbitrary<T> => (x instanceof fc.Arbitrary ? x : fc.constant(x));

/** Pytrees with the given leaves: nested objects, arrays, Maps and nulls. */
export function pytrees<T>(leaf: fc.Arbitrary<T>, options: { readonly maxDepth?: number } = {}): fc.Arbitrary<unknown> {
  const key = fc.constantFrom("a", "b", "w", "bias", "layer 1");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: options.maxDepth ?? 3, withCrossShrink: true },
      leaf,
      fc.constant(null),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 3, noNullPrototype: true }),
      fc.array(fc.tuple(key, tie("tree")), { maxLength: 3 }).map((entries) => new Map(entries)),
    ),
  }));
  return tree;
}
