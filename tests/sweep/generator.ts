/**
 * Input generators for the registry sweep: every primitive has one, and goes through the same property tests with it.
 */
import fc from "fast-check";
import { bind } from "../../src/core/trace.ts";
import {
  type AnyPrimitive,
  type DType,
  type HostArray,
  type NDArray,
  type Params,
  type Shape,
  allocate,
  isComplex,
  isInexact,
  isInteger,
  sizeOf,
} from "./core.ts";

/** One application: operands in compute form and parameters. */
export interface Sample {
  readonly ins: readonly HostArray[];
  readonly params: Params;
}

export interface Generator {
  readonly primitive: AnyPrimitive;
  readonly sample: fc.Arbitrary<Sample>;
  /** Samples in float32, where `sample` has nothing but float64: for devices without. */
  readonly narrow?: fc.Arbitrary<Sample>;
  /** A name when a primitive has several generators. */
  readonly label?: string;
  /**
   * Whether the samples keep away from kinks and poles, so that finite differences make sense (default true).
   * Non-differentiable primitives (integer results, comparisons) are skipped by their avals, not by this flag.
   */
  readonly smooth?: boolean;
  /** Finite-difference tolerance, relative to the size of the derivative (default 1e-4 in float64). */
  readonly tolerance?: number;
  /** Operands whose batching is not to be swept (scalars that must stay unbatched). */
  readonly unbatched?: readonly number[];
  /** Operands of a floating dtype that have no derivative. */
  readonly nonDifferentiable?: readonly number[];
  /** The modes of differentiation there are. Default both. */
  readonly modes?: "both" | "forward" | "reverse" | "none";
  /** The application as a function of the operands, where it is more than `bind(primitive, ins, params)`. */
  readonly apply?: (ins: readonly NDArray[], params: Params) => readonly NDArray[];
}

/** The application of a sample's primitive, as a function of the operands. */
export type Call = (xs: readonly NDArray[]) => readonly NDArray[];
export const callOf = (g: Generator, { params }: Sample): Call =>
  g.apply ? (xs) => g.apply!(xs, params) : (xs) => bind(g.primitive, xs, params);

/** Some units in the last place, relative to the largest number. Rearrangements are exact. */
export const lastPlaces = (g: Generator, { dtype }: HostArray): number => {
  if (!isInexact(dtype) || g.primitive.kind === "movement") return 0;
  return dtype === "float64" ? 1e-13 : dtype === "float16" ? 2e-3 : dtype === "bfloat16" ? 1.6e-2 : 2e-6;
};

/** Shapes of up to `maxDims` axes of lengths 0…`maxLength` (0 only if allowed). */
export const shapes = (
  options: { minDims?: number; maxDims?: number; minLength?: number; maxLength?: number } = {},
): fc.Arbitrary<number[]> => {
  const { minDims = 0, maxDims = 3, minLength = 1, maxLength = 4 } = options;
  return fc.array(fc.integer({ min: minLength, max: maxLength }), { minLength: minDims, maxLength: maxDims });
};

export interface ValueRange {
  readonly min?: number;
  readonly max?: number;
  /** Points to keep away from, by at least 0.05. */
  readonly avoid?: readonly number[];
}

/** Values of a dtype as a host array; floats are multiples of 1/64 in [min, max], so that ties and exactness occur. */
export const arrays = (shape: Shape, dtype: DType, range: ValueRange = {}): fc.Arbitrary<HostArray> => {
  const lanes = isComplex(dtype) ? 2 : 1;
  const n = sizeOf(shape) * lanes;
  const {
    min = dtype.startsWith("u") || dtype === "bool" ? 0 : -2,
    max = dtype === "bool" ? 1 : isInteger(dtype) ? 5 : 2,
    avoid = [],
  } = range;
  const one =
    isInteger(dtype) || dtype === "bool"
      ? fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
      : fc
          .integer({ min: Math.ceil(min * 64), max: Math.floor(max * 64) })
          .map((k) => k / 64)
          .filter((v) => avoid.every((a) => Math.abs(v - a) >= 0.05));
  return fc.array(one, { minLength: n, maxLength: n }).map((values) => {
    const data = allocate(dtype, sizeOf(shape));
    data.set(values);
    return { shape, dtype, data };
  });
};

/** Values that are all different (for sorts, maxima and other functions with kinks at ties). */
export const distinctArrays = (shape: Shape, dtype: DType): fc.Arbitrary<HostArray> => {
  const n = sizeOf(shape);
  return fc
    .shuffledSubarray(
      Array.from({ length: n }, (_, i) => i),
      { minLength: n, maxLength: n },
    )
    .map((order) => {
      const data = allocate(dtype, n);
      order.forEach((o, i) => (data[i] = (o - n / 2) * 0.25));
      return { shape, dtype, data };
    });
};
