/**
 * `NDArray`: the value type shared by device arrays, literals and tracers. It has an aval and nothing else at run time;
 * the methods (declared in `arrayMethods.ts`) are installed on its prototype by the numpy room, so that core stays
 * free of numerics. Arrays are immutable.
 */
import type { ArrayMethods } from "./arrayMethods.ts";
import type { Aval } from "./aval.ts";
import type { DType } from "./dtype.ts";
import { ConcretizationError } from "./problem.ts";
import type { Shape } from "./shape.ts";

// The interface adds the installed methods to the class's type.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface NDArray extends ArrayMethods {}

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export abstract class NDArray {
  /** Shape, dtype and weakness. */
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
  get shape(): Shape {
    return this.aval.shape;
  }
  get dtype(): DType {
    return this.aval.dtype;
  }
  get ndim(): number {
    return this.aval.shape.length;
  }
  get size(): number {
    return this.aval.size;
  }
  get weakType(): boolean {
    return this.aval.weakType;
  }
  /** The array with values behind this one, if there is one now: itself, or the primal of an un-jitted tracer. */
  abstract concrete(): NDArray | null;
  /** A short description for messages: `float32[3]`, `traced float32[3]`. */
  abstract describe(): string;

  /** Values as `js()` gives them, for `JSON.stringify`. */
  toJSON(): unknown {
    return this.js();
  }

  /**
   * Arrays do not turn into numbers by themselves: under `jit` there is no number to turn into, and JavaScript would go
   * on silently. In a template a tracer prints its aval.
   */
  [Symbol.toPrimitive](hint: "string" | "number" | "default"): string {
    if (hint === "string") return this.toString();
    throw coercion(this);
  }
}

const coercion = (x: NDArray): ConcretizationError =>
  new ConcretizationError("ArrayCoercion", {
    what: `${x.describe()} was used as a plain number or in a comparison`,
    why: x.concrete()
      ? "JavaScript operators (+ - * < == …) do not work on arrays, and would see no value at all under jit"
      : "inside a transformation only shapes and dtypes are known, so JavaScript cannot compute or branch on the value",
    fix:
      "use methods or functions: x.add(y), numpy.greater(x, 0), numpy.where(p, a, b) for values, " +
      "lax.cond(p, f, g, x) for code, x.item() to read a concrete scalar, or declare the argument static",
  });

/**
 * A scalar known when the program is written: a JavaScript number, boolean or zero that met an array. It stands in
 * jaxprs as itself and needs no buffer.
 */
export class Literal extends NDArray {
  /** The value; complex literals are real. Booleans are 0 or 1. */
  readonly value: number;
  constructor(aval: Aval, value: number) {
    super(aval);
    this.value = value;
  }
  override concrete(): NDArray {
    return this;
  }
  override describe(): string {
    return String(this.aval);
  }
}

export const isNDArray = (x: unknown): x is NDArray => x instanceof NDArray;
