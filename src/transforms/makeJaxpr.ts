/** Looking at programs: `makeJaxpr` and `evalShape` trace a function without running it. */
import type { Aval } from "../core/aval.ts";
import { type MimeBundle, rendered } from "../core/display.ts";
import { type Jaxpr, evalJaxpr, inAvals, outAvals } from "../core/jaxpr.ts";
import { type NDArray } from "../core/ndarray.ts";
import { printJaxpr } from "../core/printJaxpr.ts";
import { ShapeDtypeStruct } from "../core/shapeDtypeStruct.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { type TreeDef, flatten, unflatten } from "../core/tree.ts";
import { withNamedAxes } from "../core/trace.ts";
import {
  type AnyFunction,
  FlatFunction,
  argumentPath,
  checkCallable,
  checkOptions,
  leafArray,
  nameOf,
} from "../core/call.ts";
import { argumentNumber, named } from "./gradient.ts";

/** A traced program with the arrays it captured. Prints in JAX's notation. */
export class TracedProgram {
  readonly jaxpr: Jaxpr;
  readonly consts: readonly NDArray[];
  constructor(jaxpr: Jaxpr, consts: readonly NDArray[]) {
    this.jaxpr = jaxpr;
    this.consts = consts;
  }
  get inAvals(): Aval[] {
    return inAvals(this.jaxpr);
  }
  get outAvals(): Aval[] {
    return outAvals(this.jaxpr);
  }
  get eqns(): Jaxpr["eqns"] {
    return this.jaxpr.eqns;
  }
  toString(): string {
    return printJaxpr(this.jaxpr);
  }
  [Symbol.for("Jupyter.display")](): MimeBundle | Promise<MimeBundle> {
    return rendered(this, () => ({ "text/plain": this.toString() }));
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export interface MakeJaxprOptions {
  readonly staticArgnums?: number | readonly number[];
  /** Named axes to assume: `[["i", 4]]`. */
  readonly axisEnv?: readonly (readonly [string, number])[];
  /** Give `[jaxpr, shapes]`, the second as `evalShape`. */
  readonly returnShape?: boolean;
}

interface TracedTree {
  readonly program: TracedProgram;
  readonly outDef: TreeDef;
}

function traceTree(
  f: AnyFunction,
  args: readonly unknown[],
  statics: readonly number[],
  transform: string,
): TracedTree {
  const fixed = new Set(statics.map((n) => argumentNumber(n, args.length, transform, f)));
  const [raw, def] = flatten(args.map((a, i) => (fixed.has(i) ? undefined : a)));
  const paths = def.paths();
  const avals = raw.map((x, i) =>
    x instanceof ShapeDtypeStruct ? x.aval : leafArray(x, () => argumentPath(paths[i]!), transform).aval,
  );
  const withStatics = (...xs: unknown[]): unknown => f(...xs.map((x, i) => (fixed.has(i) ? args[i] : x)));
  Object.defineProperty(withStatics, "name", { value: nameOf(f) });
  const flat = new FlatFunction(withStatics, def, transform);
  const { jaxpr, consts } = traceToJaxpr((...xs) => flat.call(xs), avals, `${transform}(${nameOf(f)})`);
  return { program: new TracedProgram(jaxpr, consts), outDef: flat.out! };
}

/**
 * The jaxpr of a function for arguments of these shapes and dtypes (arrays or `ShapeDtypeStruct`s).
 *
 * @example
 * String(makeJaxpr((x) => x.mul(2))(np.ones(3)))
 * // { lambda ; a:f32[3]. let
 * //     b:f32[3] = mul a 2.0:f32[]
 * //   in (b,) }
 */
export function makeJaxpr<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  options: MakeJaxprOptions & { readonly returnShape: true },
): (...args: { [K in keyof A]: unknown }) => [TracedProgram, unknown];
export function makeJaxpr<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  options?: MakeJaxprOptions,
): (...args: { [K in keyof A]: unknown }) => TracedProgram;
export function makeJaxpr(f: AnyFunction, options: MakeJaxprOptions = {}): AnyFunction {
  checkCallable("makeJaxpr", f);
  checkOptions("makeJaxpr", options, ["staticArgnums", "axisEnv", "returnShape"]);
  const statics =
    options.staticArgnums === undefined
      ? []
      : typeof options.staticArgnums === "number"
        ? [options.staticArgnums]
        : options.staticArgnums;
  const axes = (options.axisEnv ?? []).map(([name, size]) => ({ name, size }));
  const wrapped = (...args: unknown[]): unknown => {
    const { program, outDef } = withNamedAxes(axes, () => traceTree(f, args, statics, "makeJaxpr"));
    return options.returnShape ? [program, shapesOf(program, outDef)] : program;
  };
  return named(wrapped, f, "makeJaxpr");
}

const shapesOf = (program: TracedProgram, outDef: TreeDef): unknown =>
  unflatten(
    outDef,
    program.outAvals.map((a) => new ShapeDtypeStruct(a.shape, a.dtype, { weakType: a.weakType })),
  );

/**
 * Shapes and dtypes of what `f` would return, without computing it.
 *
 * @example
 * evalShape((x) => np.matmul(x, x.T), new ShapeDtypeStruct([3, 4], "float32")).shape // [3, 3]
 */
// The result is a tree like the function's, of ShapeDtypeStructs; callers know its form.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function evalShape(f: AnyFunction, ...args: unknown[]): any {
  checkCallable("evalShape", f);
  const { program, outDef } = traceTree(f, args, [], "evalShape");
  return shapesOf(program, outDef);
}

/** A function that evaluates a traced program on flat arrays. */
export const jaxprAsFunction =
  (program: TracedProgram) =>
  (...args: readonly NDArray[]): NDArray[] =>
    evalJaxpr(program.jaxpr, program.consts, args);
