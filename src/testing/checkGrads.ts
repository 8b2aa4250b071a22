/**
 * `checkGrads`: derivatives against finite differences and against each other, to any order (after `jax.test_util`).
 */
import { type AnyFunction, checkOptions, flattenArgs, flattenResult, flattenTree } from "../core/call.ts";
import { isFloat, isInexact } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { type HostArray, allocateLike } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError, CotangentError } from "../core/problem.ts";
import { type KeyPath, type TreeDef, keyString, unflatten } from "../core/tree.ts";
import { jvp } from "../transforms/forward.ts";
import { vjp } from "../transforms/gradient.ts";

export interface CheckGradsOptions {
  /** Which modes to check. Default both. */
  readonly modes?: readonly ("fwd" | "rev")[];
  /** Absolute and relative tolerance. Default: by the widest dtype among the arguments (JAX's values). */
  readonly atol?: number;
  readonly rtol?: number;
  /** Step of the finite differences. Default: by dtype. */
  readonly eps?: number;
  /** Seed of the directions. Default 0. */
  readonly seed?: number;
}

/** A derivative that does not agree with finite differences. */
export class GradientMismatchError extends CotangentError {
  static override readonly errorName: string = "GradientMismatchError";
}

/** Tolerance and step for a dtype: differences of float32 values lose half of their digits. */
const defaults = (double: boolean): { tolerance: number; eps: number } =>
  double ? { tolerance: 1e-5, eps: 1e-6 } : { tolerance: 2e-2, eps: 1e-2 };

/** A small generator of reproducible directions in [-1, 1] (Park and Miller, "Random number generators", 1988). */
function directions(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

const host = (x: NDArray): HostArray => evaluator().toHost(x.concrete() ?? x);
const array = (x: HostArray): NDArray => evaluator().fromHost(x, false);

function randomLike(x: NDArray, next: () => number): NDArray {
  const out = allocateLike(x.aval);
  if (isInexact(x.dtype)) for (let i = 0; i < out.data.length; i++) out.data[i] = next();
  return array(out);
}

/** x + step · v, element by element. */
function moved(x: NDArray, v: NDArray, step: number): NDArray {
  const [a, b] = [host(x), host(v)];
  const out = allocateLike(x.aval);
  for (let i = 0; i < out.data.length; i++)
    out.data[i] = isInexact(x.dtype) ? a.data[i]! + step * b.data[i]! : a.data[i]!;
  return array(out);
}

const dot = (xs: readonly NDArray[], ys: readonly NDArray[]): number =>
  xs.reduce((sum, x, i) => {
    const [a, b] = [host(x).data, host(ys[i]!).data];
    if (!isInexact(x.dtype)) return sum;
    for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
    return sum;
  }, 0);

const innerProduct = (a: readonly number[], b: readonly number[]): number => a.reduce((t, x, k) => t + x * b[k]!, 0);

/**
 * Checks the derivatives of `f` at `args`, up to `order`, in forward and reverse mode. Every order is checked against
 * finite differences of the one below.
 *
 * @param f a function of trees of real arrays; choose a point away from kinks.
 * @throws GradientMismatchError with the path, the two numbers and the tolerance.
 * @example
 * checkGrads((x) => np.sin(x), [np.array(0.3)], 2);
 */
export function checkGrads(
  f: AnyFunction,
  args: readonly unknown[],
  order: number,
  options: CheckGradsOptions = {},
): void {
  if (!Number.isInteger(order) || order < 1)
    throw new ArgumentError("CheckOrder", {
      what: `checkGrads: the order is ${String(order)}`,
      why: "there is at least the first derivative to check",
      fix: "pass 1, 2, …",
    });
  const { leaves, def } = flattenArgs(args, "checkGrads");
  const complex = leaves.find((x) => isInexact(x.dtype) && !isFloat(x.dtype));
  if (complex)
    throw new ArgumentError("CheckComplex", {
      what: `checkGrads: an argument is ${String(complex.aval)}`,
      why: "finite differences are taken along real directions",
      fix: "write the function of real and imaginary parts",
    });
  const double = leaves.some((x) => x.dtype === "float64");
  const { tolerance, eps } = defaults(double);
  const settings: Settings = {
    atol: options.atol ?? tolerance,
    rtol: options.rtol ?? tolerance,
    eps: options.eps ?? eps,
    modes: options.modes ?? ["fwd", "rev"],
    next: directions(options.seed ?? 0),
  };
  check(f, leaves, def, order, settings, "f");
}

interface Settings {
  readonly atol: number;
  readonly rtol: number;
  readonly eps: number;
  readonly modes: readonly ("fwd" | "rev")[];
  readonly next: () => number;
}

/** Central differences of `call` at `leaves` along `v`, one list of elements per result. */
function differencesAlong(
  call: (xs: readonly NDArray[]) => unknown,
  leaves: readonly NDArray[],
  v: readonly NDArray[],
  outs: readonly NDArray[],
  eps: number,
  f: AnyFunction,
): number[][] {
  const at = (step: number): readonly NDArray[] =>
    flattenResult(call(leaves.map((x, i) => moved(x, v[i]!, step))), "checkGrads", f).leaves;
  const [above, below] = [at(eps), at(-eps)];
  return outs.map((y, i) => {
    const [a, b] = [host(above[i]!).data, host(below[i]!).data];
    return Array.from(a, (x, k) => (isInexact(y.dtype) ? (x - b[k]!) / (2 * eps) : 0));
  });
}

/** The sum of products of cotangents with differences. */
const paired = (cts: readonly NDArray[], differences: readonly (readonly number[])[]): number =>
  cts.reduce(
    (sum, ct, i) => (isInexact(ct.dtype) ? sum + innerProduct(Array.from(host(ct).data), differences[i]!) : sum),
    0,
  );

function check(
  f: AnyFunction,
  leaves: readonly NDArray[],
  def: TreeDef,
  order: number,
  s: Settings,
  name: string,
): void {
  const call = (xs: readonly NDArray[]): unknown => f(...(unflatten(def, xs) as unknown[])) as unknown;
  const out = flattenResult(call(leaves), "checkGrads", f);
  const v = leaves.map((x) => randomLike(x, s.next));
  const difference = differencesAlong(call, leaves, v, out.leaves, s.eps, f);
  const paths = out.def.paths();
  if (s.modes.includes("fwd")) {
    const push = (...xs: unknown[]): unknown => jvp(f, xs, unflatten(def, v) as unknown[])[1];
    const tangents = flattenResult(push(...(unflatten(def, leaves) as unknown[])), "checkGrads", f).leaves;
    tangents.forEach((t, i) => compare(`the jvp of ${name}`, paths[i]!, Array.from(host(t).data), difference[i]!, s));
    if (order > 1) check(push, leaves, def, order - 1, s, `the jvp of ${name}`);
  }
  if (s.modes.includes("rev")) {
    const ct = out.leaves.map((y) => randomLike(y, s.next));
    const pull = (...xs: unknown[]): unknown => (vjp(f, ...xs)[1] as AnyFunction)(unflatten(out.def, ct));
    const cts = flattenArgs(pull(...(unflatten(def, leaves) as unknown[])) as unknown[], "checkGrads").leaves;
    const expected = paired(ct, difference);
    compare(`the vjp of ${name}`, [], [dot(v, cts)], [expected], s);
    if (order > 1) check(pull, leaves, def, order - 1, s, `the vjp of ${name}`);
  }
}

export interface CheckRuleOptions {
  /** Absolute and relative tolerance. Default: by the widest dtype among the arguments. */
  readonly atol?: number;
  readonly rtol?: number;
  /** Step of the finite differences. Default: by dtype. */
  readonly eps?: number;
  /** Put in front of the message. */
  readonly errMsg?: string;
}

/** What the checks of one rule begin with: the arguments, a direction, and the function's values and differences. */
function prepare(name: string, f: AnyFunction, args: readonly unknown[], options: CheckRuleOptions) {
  checkOptions(name, options, ["atol", "rtol", "eps", "errMsg"]);
  const { leaves, def } = flattenArgs(args, name);
  const { tolerance, eps } = defaults(leaves.some((x) => x.dtype === "float64"));
  const next = directions(0);
  const settings: Settings = {
    atol: options.atol ?? tolerance,
    rtol: options.rtol ?? tolerance,
    eps: options.eps ?? eps,
    modes: [],
    next,
  };
  const call = (xs: readonly NDArray[]): unknown => f(...(unflatten(def, xs) as unknown[])) as unknown;
  const out = flattenResult(call(leaves), name, f);
  const v = leaves.map((x) => randomLike(x, next));
  const differences = differencesAlong(call, leaves, v, out.leaves, settings.eps, f);
  const prefix = options.errMsg ? `${options.errMsg}: ` : "";
  const sameValues = (value: unknown): void => {
    const got = flattenTree(value, name, "the value that the rule gives").leaves;
    got.forEach((y, i) =>
      compare(`${prefix}the value`, out.def.paths()[i] ?? [], values(y), values(out.leaves[i]!), settings),
    );
  };
  return { def, out, v, differences, settings, prefix, sameValues };
}
const values = (x: NDArray): number[] => Array.from(host(x).data);

/**
 * Checks a forward-mode rule: values against the function, tangents against finite differences.
 *
 * @param fJvp `(primals, tangents) => [value, tangent]`, for example `(p, t) => jvp(f, p, t)`.
 * @throws GradientMismatchError
 * @example
 * testUtil.checkJvp((x) => np.sin(x), ([x], [t]) => [np.sin(x), np.cos(x).mul(t)], [np.array(0.3)]);
 */
export function checkJvp(
  f: AnyFunction,
  fJvp: AnyFunction,
  args: readonly unknown[],
  options: CheckRuleOptions = {},
): void {
  const { def, out, v, differences, settings, prefix, sameValues } = prepare("checkJvp", f, args, options);
  const [value, tangent] = fJvp(args, unflatten(def, v)) as [unknown, unknown];
  sameValues(value);
  const tangents = flattenTree(tangent, "checkJvp", "the tangent that the rule gives").leaves;
  tangents.forEach((t, i) =>
    compare(`${prefix}the jvp`, out.def.paths()[i] ?? [], values(t), differences[i] ?? [], settings),
  );
}

/**
 * Checks a reverse-mode rule: values against the function, cotangents against finite differences along one direction.
 *
 * @param fVjp `(...args) => [value, pullback]`, for example `(...xs) => vjp(f, ...xs)`.
 * @throws GradientMismatchError
 * @example
 * testUtil.checkVjp((x) => np.sin(x), (x) => vjp((y) => np.sin(y), x), [np.array(0.3)]);
 */
export function checkVjp(
  f: AnyFunction,
  fVjp: AnyFunction,
  args: readonly unknown[],
  options: CheckRuleOptions = {},
): void {
  const { out, v, differences, settings, prefix, sameValues } = prepare("checkVjp", f, args, options);
  const [value, pull] = fVjp(...args) as [unknown, AnyFunction];
  sameValues(value);
  const ct = out.leaves.map((y) => randomLike(y, settings.next));
  const cts = flattenArgs(pull(unflatten(out.def, ct)) as unknown[], "checkVjp").leaves;
  compare(`${prefix}the vjp`, [], [dot(v, cts)], [paired(ct, differences)], settings);
}

function compare(
  what: string,
  path: KeyPath,
  got: readonly number[],
  expected: readonly number[],
  { atol, rtol }: Settings,
): void {
  got.forEach((g, k) => {
    const e = expected[k]!;
    if (Math.abs(g - e) <= atol + rtol * Math.abs(e) || Object.is(g, e)) return;
    throw new GradientMismatchError("GradientMismatch", {
      what: `checkGrads: ${what}${path.length ? ` at ${keyString(path)}` : ""}: element ${k} is ${g}, but finite differences give ${e}`,
      why: `the two must agree within ${atol} + ${rtol} · |expected|`,
      fix: "check the custom rule if there is one; choose a point away from kinks and poles; use float64 arguments for sharper differences",
    });
  });
}
