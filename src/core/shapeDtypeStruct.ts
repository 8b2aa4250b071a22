/** Shape and dtype without values: what `evalShape` gives and, wherever only types matter, takes. */
import { Aval } from "./aval.ts";
import { type DType, parseDType } from "./dtype.ts";
import { parseShape } from "./shape.ts";

/**
 * @example
 * evalShape((x) => np.matmul(x, x.T), new ShapeDtypeStruct([3, 4], "float32")) // ShapeDtypeStruct(shape=(3, 3), dtype=float32)
 */
export class ShapeDtypeStruct {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly weakType: boolean;
  constructor(shape: readonly number[], dtype: DType, options: { readonly weakType?: boolean } = {}) {
    this.shape = parseShape("ShapeDtypeStruct", shape);
    this.dtype = parseDType(dtype);
    this.weakType = options.weakType ?? false;
  }
  get ndim(): number {
    return this.shape.length;
  }
  get size(): number {
    return this.aval.size;
  }
  get aval(): Aval {
    return new Aval(this.shape, this.dtype, this.weakType);
  }
  toString(): string {
    return `ShapeDtypeStruct(shape=(${this.shape.join(", ")}${this.shape.length === 1 ? "," : ""}), dtype=${this.dtype})`;
  }
}
