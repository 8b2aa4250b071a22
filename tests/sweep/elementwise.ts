/**
 * Samples for elementwise primitives: operands of one shape, any of them possibly a scalar instead.
 */
import fc from "fast-check";
import type { AnyPrimitive, DType, Params } from "./core.ts";
import { type Generator, type ValueRange, arrays, shapes } from "./generator.ts";

export interface ElementwiseOptions extends Partial<Omit<Generator, "primitive" | "sample">> {
  readonly dtypes?: readonly DType[];
  readonly params?: fc.Arbitrary<Params>;
}

export const floats: readonly DType[] = ["float64", "float32", "float64", "float16", "bfloat16"];
export const halfFree: readonly DType[] = ["float64", "float32"];
export const integers: readonly DType[] = ["int32", "uint32", "int8", "uint8", "int16", "uint16"];

/** One operand for each range, all of one dtype. */
export function elementwise(
  primitive: AnyPrimitive,
  ranges: readonly ValueRange[],
  options: ElementwiseOptions = {},
): Generator {
  const { dtypes = halfFree, params = fc.constant(null), ...rest } = options;
  const scalars = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: ranges.length, maxLength: ranges.length });
  const sample = fc
    .tuple(shapes(), fc.constantFrom(...dtypes), scalars, params)
    .chain(([shape, dtype, scalar, p]) =>
      fc
        .tuple(...ranges.map((r, i) => arrays(ranges.length > 1 && scalar[i] === 0 ? [] : shape, dtype, r)))
        .map((ins) => ({ ins, params: p })),
    );
  return { primitive, sample, ...rest };
}

/** The same for complex operands, whose finite differences are coarse because there is no wider complex dtype. */
export const complexCase = (
  primitive: AnyPrimitive,
  ranges: readonly ValueRange[],
  options: ElementwiseOptions = {},
): Generator =>
  elementwise(primitive, ranges, { label: "complex", dtypes: ["complex64"], tolerance: 3e-2, ...options });
export const integerCase = (
  primitive: AnyPrimitive,
  ranges: readonly ValueRange[],
  options: ElementwiseOptions = {},
): Generator => elementwise(primitive, ranges, { label: "integers", dtypes: integers, ...options });
