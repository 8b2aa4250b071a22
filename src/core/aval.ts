/**
 * Avals: what is known of an array without its values — shape, dtype, and whether the dtype is weak.
 */
import { type DType, type WeakDType, bytesPerElement, isInexact, shortName } from "./dtype.ts";
import { type Shape, shapesEqual, sizeOf } from "./shape.ts";

/** Shape, dtype and weakness of an array. Immutable; compared with `avalsEqual`. */
export class Aval implements WeakDType {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly weakType: boolean;
  constructor(shape: Shape, dtype: DType, weakType = false) {
    this.shape = shape;
    this.dtype = dtype;
    this.weakType = weakType;
  }
  get ndim(): number {
    return this.shape.length;
  }
  get size(): number {
    return sizeOf(this.shape);
  }
  get bytes(): number {
    return this.size * bytesPerElement(this.dtype);
  }
  /** Another shape, same dtype. */
  withShape(shape: Shape): Aval {
    return new Aval(shape, this.dtype, this.weakType);
  }
  /** Another dtype, same shape; weak only if asked for. */
  withDType(dtype: DType, weakType = false): Aval {
    return new Aval(this.shape, dtype, weakType);
  }
  strong(): Aval {
    return this.weakType ? new Aval(this.shape, this.dtype) : this;
  }
  toString(): string {
    return `${this.dtype}[${this.shape.join(",")}]`;
  }
}

/** The form jaxprs print: `f32[3,4]`. */
export const shortAval = (a: Aval): string => `${shortName(a.dtype)}[${a.shape.join(",")}]`;

/** Same shape and dtype; weakness too unless told to ignore it. */
export const avalsEqual = (a: Aval, b: Aval, ignoreWeak = false): boolean =>
  a === b || (a.dtype === b.dtype && (ignoreWeak || a.weakType === b.weakType) && shapesEqual(a.shape, b.shape));

/** Whether values of this aval carry tangents: floats and complex numbers do, integers, booleans and keys do not. */
export const isDifferentiable = (a: Aval): boolean => isInexact(a.dtype);

/** A key that is equal exactly for equal avals. */
export const avalKey = (a: Aval): string => `${a.dtype}${a.weakType ? "~" : ""}[${a.shape.join(",")}]`;
