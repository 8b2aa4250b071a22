/**
 * Reverse mode: `vjp`, `grad`, `valueAndGrad`, `linearize`, `linearTranspose`. All are one linearization; the reverse
 * ones transpose its linear half.
 */
import { type Aval, avalsEqual } from "../core/aval.ts";
import { isComplex, isFloat, isInexact } from "../core/dtype.ts";
import { type ClosedJaxpr, evalJaxpr } from "../core/jaxpr.ts";
import { reportNaNs } from "../core/nans.ts";
import { NDArray } from "../core/ndarray.ts";
import { LinearOperand, type Tangent, Zero } from "../core/primitive.ts";
import { ArgumentError, DTypeError, ShapeError, TreeError } from "../core/problem.ts";
import { ShapeDtypeStruct } from "../core/shapeDtypeStruct.ts";
import { shapeText, shapesEqual } from "../core/shape.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { convert, full, instantiate, tangentAval } from "../core/structural.ts";
import { type KeyPath, type TreeDef, flatten, flattenInto, leafDef, treeDifferences, unflatten } from "../core/tree.ts";
import {
  type AnyFunction,
  FlatFunction,
  argumentPath,
  checkCallable,
  checkOptions,
  flattenArgs,
  flattenResult,
  flattenTree,
  nameOf,
} from "../core/call.ts";
import { interpreters } from "./interpreters.ts";
import { linearizeCall } from "./linearize.ts";
import { splitOptions } from "../core/options.ts";
import { backwardPass } from "./transpose.ts";
import type { Arrays, Pytree, Scalar } from "../core/types.ts";

export interface GradOptions {
  /** Which arguments to differentiate; a list gives a list of gradients. Default 0. */
  readonly argnums?: number | readonly number[];
  /** The function returns `[value, aux]`; aux is passed through. */
  readonly hasAux?: boolean;
  /** The function is holomorphic: complex in, complex out. */
  readonly holomorphic?: boolean;
  /** Allow integer arguments; their gradients are boolean zeros (JAX's float0). */
  readonly allowInt?: boolean;
}
const gradOptions = ["argnums", "hasAux", "holomorphic", "allowInt"] as const;

// ---------------------------------------------------------------- linearization of functions on trees

/** A function linearized at its arguments. */
interface LinearizedFunction {
  readonly outDef: TreeDef;
  readonly outs: readonly NDArray[];
  readonly linear: ClosedJaxpr;
  readonly nonzeroIn: readonly boolean[];
  readonly nonzeroOut: readonly boolean[];
  readonly aux: unknown;
}

/** Splits `[value, aux]`; arrays in aux travel with the results so that their tracers are taken off. */
export class AuxSplitter {
  auxDef: TreeDef = leafDef;
  rawAux: unknown[] = [];
  readonly hasAux: boolean;
  readonly transform: string;
  readonly f: AnyFunction;
  constructor(hasAux: boolean, transform: string, f: AnyFunction) {
    this.hasAux = hasAux;
    this.transform = transform;
    this.f = f;
  }

  value(result: unknown): unknown {
    if (!this.hasAux) return result;
    if (!Array.isArray(result) || result.length !== 2)
      throw new ArgumentError("AuxResult", {
        what: `${this.transform}: with hasAux, ${nameOf(this.f)} must return [value, aux]${Array.isArray(result) ? `, but returned an array of ${result.length}` : ""}`,
        why: "the first entry is differentiated, the second is passed through",
        fix: "return [loss, { … }], or leave hasAux out",
      });
    this.rawAux = [];
    this.auxDef = flattenInto(result[1], this.rawAux);
    return result[0];
  }

  /** The arrays among the aux leaves. */
  arrays(): NDArray[] {
    return this.rawAux.filter((x): x is NDArray => x instanceof NDArray);
  }

  /** The aux tree with its arrays replaced. */
  rebuild(arrays: readonly NDArray[]): unknown {
    let next = 0;
    return unflatten(
      this.auxDef,
      this.rawAux.map((x) => (x instanceof NDArray ? arrays[next++] : x)),
    );
  }
}

function linearizeTree(
  f: AnyFunction,
  rebuildArgs: (leaves: readonly NDArray[]) => unknown[],
  leaves: readonly NDArray[],
  hasAux: boolean,
  transform: string,
): LinearizedFunction {
  const splitter = new AuxSplitter(hasAux, transform, f);
  let outDef = leafDef;
  let numOuts = 0;
  const nonzeroIn = leaves.map((x) => isInexact(x.dtype));
  const call = linearizeCall(
    (xs) => {
      const flat = flattenResult(splitter.value(f(...rebuildArgs(xs))), transform, f);
      outDef = flat.def;
      numOuts = flat.leaves.length;
      return [...flat.leaves, ...splitter.arrays()];
    },
    leaves,
    nonzeroIn,
    `${transform}(${nameOf(f)})`,
    interpreters,
  );
  // Tangents of aux are not wanted: drop them from the linear program.
  let at = 0;
  const keep = call.nonzeroOut.flatMap((nz, i) => (nz ? [i < numOuts ? at++ : (at++, -1)] : [])).filter((i) => i >= 0);
  const linear = { ...call.linear, jaxpr: { ...call.linear.jaxpr, outs: keep.map((i) => call.linear.jaxpr.outs[i]!) } };
  return {
    outDef,
    outs: call.primals.slice(0, numOuts),
    linear,
    nonzeroIn,
    nonzeroOut: call.nonzeroOut.slice(0, numOuts),
    aux: hasAux ? splitter.rebuild(call.primals.slice(numOuts)) : undefined,
  };
}

/** Cotangents of all inputs from those of all results; zeros explicit. */
function pullback(lin: LinearizedFunction, leaves: readonly NDArray[], cts: readonly NDArray[]): NDArray[] {
  const { jaxpr, consts } = lin.linear;
  const out = backwardPass(
    jaxpr,
    consts,
    jaxpr.inVars.map((v) => new LinearOperand(v.aval)),
    cts.filter((_, i) => lin.nonzeroOut[i]),
    interpreters,
  );
  let next = 0;
  return leaves.map((x, i) => instantiate(lin.nonzeroIn[i] ? out[next++]! : new Zero(tangentAval(x.aval))));
}

// ---------------------------------------------------------------- vjp

/** The pullback: one cotangent tree like the result in, one cotangent per argument out. */
export type Pullback<A extends readonly unknown[], R> = (cotangent: Arrays<R>) => { [K in keyof A]: Arrays<A[K]> };

/**
 * The value of `f` at some arguments and its vector-Jacobian product.
 *
 * @param args arguments of `f`; a trailing `{ hasAux: true }` makes `f` return `[value, aux]` and adds aux.
 * @returns `[value, pullback]`; the pullback takes a cotangent shaped like the value and returns a list with one
 *   cotangent per argument. It may be called any number of times.
 * @example
 * const [y, pull] = vjp((x, y) => x.mul(y), np.array(2), np.array(3));
 * pull(np.array(1)) // [3, 2]
 */
export function vjp<A extends readonly unknown[], R, Aux>(
  f: (...args: A) => readonly [R, Aux],
  ...args: [...A, { readonly hasAux: true }]
): [Arrays<R>, Pullback<A, R>, Aux];
export function vjp<A extends readonly unknown[], R>(
  f: ((...args: A) => R) & Pytree<A>,
  ...args: A
): [Arrays<R>, Pullback<A, R>];
export function vjp(f: AnyFunction, ...args: unknown[]): unknown {
  checkCallable("vjp", f);
  const [primals, options] = splitOptions<{ hasAux?: boolean }>(args, ["hasAux", "reduceAxes"]);
  const hasAux = options.hasAux ?? false;
  const { leaves, def } = flattenArgs(primals, "vjp");
  const lin = reportNaNs(
    () => linearizeTree(f, (xs) => unflatten(def, xs) as unknown[], leaves, hasAux, "vjp"),
    (l) => l.outs,
  );
  const pull = (cotangent: unknown): unknown => {
    const cts = checkCotangent(cotangent, lin);
    return unflatten(
      def,
      reportNaNs(
        () => pullback(lin, leaves, cts),
        (x) => x,
      ),
    );
  };
  const out = unflatten(lin.outDef, lin.outs);
  return hasAux ? [out, pull, lin.aux] : [out, pull];
}

function checkCotangent(cotangent: unknown, lin: LinearizedFunction): NDArray[] {
  const flat = flattenTree(cotangent, "the pullback of vjp", "the cotangent");
  if (!flat.def.equals(lin.outDef))
    throw new TreeError("CotangentTree", {
      what: `the pullback of vjp: the cotangent differs from the function's result:\n    ${treeDifferences(lin.outDef, flat.def).join("\n    ")}`,
      why: "a cotangent has the structure of the result it belongs to",
      fix: "pass a tree like the value that vjp returned",
    });
  return flat.leaves.map((ct, i) => matchTangent(ct, lin.outs[i]!.aval, "the pullback of vjp", "cotangent"));
}

/** Checks a tangent or cotangent against the value it belongs to; weak scalars adopt its dtype. */
export function matchTangent(t: NDArray, primal: Aval, transform: string, kind: string): NDArray {
  const expected = tangentAval(primal);
  if (avalsEqual(t.aval, expected, true)) return t;
  if (shapesEqual(t.shape, expected.shape)) {
    if (!isInexact(primal.dtype)) return t;
    if (t.weakType && !isComplex(t.dtype)) return convert(t, expected.dtype);
  }
  throw new DTypeError("TangentType", {
    what: `${transform}: a ${kind} of type ${String(t.aval)} was given for a value of type ${String(primal)}`,
    why: `${kind}s have the shape and dtype of the value they belong to`,
    fix: `pass a ${kind} of type ${String(expected)}`,
  });
}

// ---------------------------------------------------------------- grad

/** The argument at a position; negative and unknown positions may be any. */
type ArgumentAt<A extends readonly unknown[], N> = N extends number
  ? number extends N
    ? A[0]
    : `${N}` extends keyof A
      ? A[N]
      : A[number]
  : never;
/** The arguments that are differentiated: one, or a list. */
type Differentiated<A extends readonly unknown[], O> = O extends { readonly argnums: infer N }
  ? N extends readonly unknown[]
    ? { [K in keyof N]: ArgumentAt<A, N[K]> }
    : ArgumentAt<A, N>
  : A[0];
/** Gradients of the differentiated arguments. A list of argnums gives a list, which can be written to. */
type GradientOf<A extends readonly unknown[], O> = O extends { readonly argnums: readonly unknown[] }
  ? Differentiated<A, O> extends infer D
    ? { -readonly [K in keyof D]: Arrays<D[K]> }
    : never
  : Arrays<Differentiated<A, O>>;

/** What `grad` takes: one scalar, or with `hasAux` a pair. One signature, so that `pipe(loss, grad, jit)` infers. */
type LossResult = Scalar | readonly [Scalar, unknown];
type FitsAux<R, O> = O extends { readonly hasAux: true }
  ? R extends readonly unknown[]
    ? unknown
    : { readonly "with hasAux the function returns [value, aux], but it returns": R }
  : R extends readonly unknown[]
    ? { readonly "the function must return a scalar; for [value, aux] pass { hasAux: true }": R }
    : unknown;
type AuxOf<R> = R extends readonly [unknown, infer Aux] ? Aux : never;
type Loss<A extends readonly unknown[], R, O> = ((...args: A) => R) & Pytree<Differentiated<A, O>> & FitsAux<R, O>;
/** Options of which all are known. */
type Known<O> = O & { readonly [K in Exclude<keyof O, keyof GradOptions>]: never };

/**
 * The value and the gradient of a scalar function.
 *
 * @returns a function with the arguments of `f` that gives `[value, gradient]`, or `[[value, aux], gradient]` with `hasAux`.
 * @throws ShapeError if `f` does not return a scalar; DTypeError for integer arguments (see `allowInt`).
 * @example
 * valueAndGrad((x) => x.mul(x))(np.array(3)) // [9, 6]
 */
export function valueAndGrad<A extends readonly unknown[], R extends LossResult, const O extends GradOptions = object>(
  f: Loss<A, R, O>,
  options?: Known<O>,
): (...args: A) => [O extends { readonly hasAux: true } ? [NDArray, AuxOf<R>] : NDArray, GradientOf<A, O>];
export function valueAndGrad(f: AnyFunction, options: GradOptions = {}): AnyFunction {
  return valueAndGradNamed(f, options, "valueAndGrad");
}

function valueAndGradNamed(f: AnyFunction, options: GradOptions, transform: string): AnyFunction {
  checkCallable(transform, f);
  checkOptions(transform, options, gradOptions);
  const { argnums = 0, hasAux = false, holomorphic = false, allowInt = false } = options;
  const wrapped = (...args: unknown[]): unknown => {
    const list = (typeof argnums === "number" ? [argnums] : [...argnums]).map((n) =>
      argumentNumber(n, args.length, transform, f),
    );
    const { leaves, def } = flattenArgs(
      list.map((n) => args[n]),
      transform,
    );
    leaves.forEach((x, i) =>
      checkInput(x, () => argumentPath(relabel(def.paths()[i]!, list)), transform, holomorphic, allowInt),
    );
    const rebuild = (xs: readonly NDArray[]): unknown[] => {
      const all = [...args];
      (unflatten(def, xs) as unknown[]).forEach((x, i) => (all[list[i]!] = x));
      return all;
    };
    return reportNaNs(
      () => {
        const lin = linearizeTree(f, rebuild, leaves, hasAux, transform);
        const value = checkScalar(lin, transform, f, holomorphic);
        const grads = pullback(lin, leaves, [full([], 1, value.dtype, value.weakType)]);
        const tree = unflatten(def, grads) as unknown[];
        const gradient = typeof argnums === "number" ? tree[0] : tree;
        return { result: [hasAux ? [value, lin.aux] : value, gradient], arrays: [value, ...grads] };
      },
      (r) => r.arrays,
    ).result;
  };
  return named(wrapped, f, transform);
}

const relabel = (path: KeyPath, list: readonly number[]): KeyPath => {
  const [first, ...rest] = path;
  return first?.kind === "index" ? [{ kind: "index", index: list[first.index]! }, ...rest] : path;
};

/** A transformed function keeps the name of the original, so that messages and jaxprs stay readable. */
export function named<F extends AnyFunction>(wrapped: F, f: AnyFunction, transform: string): F {
  Object.defineProperty(wrapped, "name", { value: `${transform}(${nameOf(f)})`, configurable: true });
  return wrapped;
}

/** A canonical argument position. */
export function argumentNumber(n: number, count: number, transform: string, f: AnyFunction): number {
  if (Number.isInteger(n) && n >= -count && n < count) return n < 0 ? n + count : n;
  throw new ArgumentError("ArgnumsRange", {
    what: `${transform}: argument ${n} was asked for, but ${nameOf(f)} was called with ${count} ${count === 1 ? "argument" : "arguments"}`,
    why: "argument positions count from 0",
    fix: count ? `use a position from 0 to ${count - 1}` : "call the function with its arguments",
  });
}

function checkInput(x: NDArray, path: () => string, transform: string, holomorphic: boolean, allowInt: boolean): void {
  if (holomorphic && !isComplex(x.dtype))
    throw new DTypeError("HolomorphicInput", {
      what: `${transform}: with holomorphic: true, ${path()} must be complex, but is ${String(x.aval)}`,
      why: "a holomorphic derivative is a complex number",
      fix: "pass a complex64 array, or leave holomorphic out",
    });
  if (!isInexact(x.dtype) && !allowInt)
    throw new DTypeError("IntegerGradient", {
      what: `${transform}: ${path()} is ${String(x.aval)}, and integers have no gradient`,
      why: "derivatives are defined for floating-point and complex arguments",
      fix: "pass x.astype(numpy.float32), choose other argnums, or allow it with { allowInt: true }",
    });
}

function checkScalar(lin: LinearizedFunction, transform: string, f: AnyFunction, holomorphic: boolean): NDArray {
  const [value] = lin.outs;
  if (lin.outDef.kind !== "leaf" || !value || value.ndim !== 0) {
    const found =
      lin.outDef.kind === "leaf" ? `an array of shape ${shapeText(value!.shape)}` : `a tree: ${String(lin.outDef)}`;
    throw new ShapeError("NonScalarGradient", {
      what: `${transform}: ${nameOf(f)} must return a scalar, but returned ${found}`,
      why: "a gradient belongs to a single number",
      fix: "reduce the result, for example with numpy.sum or numpy.mean; for whole Jacobians use jacrev or jacfwd; to return more values use { hasAux: true }",
    });
  }
  if (holomorphic ? !isComplex(value.dtype) : !isFloat(value.dtype))
    throw new DTypeError("GradientResultDType", {
      what: `${transform}: ${nameOf(f)} returned ${String(value.aval)}`,
      why: holomorphic
        ? "with holomorphic: true the result is complex"
        : "gradients are taken of real floating-point results",
      fix: isComplex(value.dtype)
        ? "return numpy.real(x) or numpy.abs(x), or set { holomorphic: true }"
        : "convert the result with .astype(numpy.float32)",
    });
  return value;
}

/**
 * The gradient of a scalar function.
 *
 * @param f returns a scalar (a 0-d array).
 * @returns a function with the arguments of `f`; its result has the structure of argument `argnums`.
 * @throws ShapeError if `f` does not return a scalar; DTypeError for integer arguments (see `allowInt`).
 * @example
 * grad((x) => np.sum(np.square(x)))(np.array([1, 2, 3])) // [2, 4, 6]
 */
export function grad<A extends readonly unknown[], R extends LossResult, const O extends GradOptions = object>(
  f: Loss<A, R, O>,
  options?: Known<O>,
): (...args: A) => O extends { readonly hasAux: true } ? [GradientOf<A, O>, AuxOf<R>] : GradientOf<A, O>;
export function grad(f: AnyFunction, options: GradOptions = {}): AnyFunction {
  const both = valueAndGradNamed(f, options, "grad");
  const wrapped = (...args: unknown[]): unknown => {
    const [value, gradient] = both(...args) as [unknown, unknown];
    return options.hasAux ? [gradient, (value as [unknown, unknown])[1]] : gradient;
  };
  return named(wrapped, f, "grad");
}

// ---------------------------------------------------------------- linearize, linearTranspose

/**
 * The value of `f` at `primals` and its derivative there as a function of tangents; `f` itself runs once.
 *
 * @example
 * const [y, df] = linearize((x) => np.sin(x), np.array(0));
 * df(np.array(2)) // 2
 */
export function linearize<A extends readonly unknown[], R>(
  f: ((...args: A) => R) & Pytree<A>,
  ...primals: A
): [Arrays<R>, (...tangents: { [K in keyof A]: Arrays<A[K]> }) => Arrays<R>];
export function linearize(f: AnyFunction, ...args: unknown[]): unknown {
  checkCallable("linearize", f);
  const [primals, options] = splitOptions<{ hasAux?: boolean }>(args, ["hasAux"]);
  const hasAux = options.hasAux ?? false;
  const { leaves, def } = flattenArgs(primals, "linearize");
  const lin = linearizeTree(f, (xs) => unflatten(def, xs) as unknown[], leaves, hasAux, "linearize");
  const push = (...tangents: unknown[]): unknown => {
    const flat = flattenArgs(tangents, "the function from linearize");
    if (!flat.def.equals(def))
      throw new TreeError("TangentTree", {
        what: `the function from linearize: the tangents differ from the arguments:\n    ${treeDifferences(def, flat.def).join("\n    ")}`,
        why: "a tangent has the structure of the argument it belongs to",
        fix: "pass one tangent per argument, each a tree like that argument",
      });
    const ts = flat.leaves.map((t, i) => matchTangent(t, leaves[i]!.aval, "the function from linearize", "tangent"));
    const outs = evalJaxpr(
      lin.linear.jaxpr,
      lin.linear.consts,
      ts.filter((_, i) => lin.nonzeroIn[i]),
    );
    let next = 0;
    return unflatten(
      lin.outDef,
      lin.outs.map((y, i) => instantiate(lin.nonzeroOut[i] ? outs[next++]! : new Zero(tangentAval(y.aval)))),
    );
  };
  const out = unflatten(lin.outDef, lin.outs);
  return hasAux ? [out, push, lin.aux] : [out, push];
}

/**
 * The transpose of a linear function, without values: `primals` only give shapes and dtypes (arrays or
 * `ShapeDtypeStruct`s).
 *
 * @returns a function from a cotangent like the result to a list with one cotangent per argument.
 * @example
 * linearTranspose((x) => x.mul(3), new ShapeDtypeStruct([2], "float32"))(np.array([1, 2])) // [[3, 6]]
 */
export function linearTranspose(f: AnyFunction, ...primals: unknown[]): (cotangent: unknown) => unknown[] {
  checkCallable("linearTranspose", f);
  const [args] = splitOptions(primals, ["reduceAxes"]);
  const [raw, def] = flatten(args);
  const avals = raw.map((x) =>
    x instanceof ShapeDtypeStruct ? x.aval : flattenTree(x, "linearTranspose", "an argument").leaves[0]!.aval,
  );
  const flat = new FlatFunction(f, def, "linearTranspose");
  const { jaxpr, consts } = traceToJaxpr((...xs) => flat.call(xs), avals, `linearTranspose(${nameOf(f)})`);
  return (cotangent) => {
    const cts = flattenTree(cotangent, "linearTranspose", "the cotangent");
    if (!cts.def.equals(flat.out!))
      throw new TreeError("CotangentTree", {
        what: `linearTranspose: the cotangent differs from the function's result:\n    ${treeDifferences(flat.out!, cts.def).join("\n    ")}`,
        why: "a cotangent has the structure of the result it belongs to",
        fix: "pass a tree like the function's result",
      });
    const given = cts.leaves.map((ct, i): Tangent =>
      matchTangent(ct, jaxpr.outs[i]!.aval, "linearTranspose", "cotangent"),
    );
    const out = backwardPass(
      jaxpr,
      consts,
      jaxpr.inVars.map((v) => new LinearOperand(v.aval)),
      given,
      interpreters,
    );
    return unflatten(def, out.map(instantiate)) as unknown[];
  };
}
