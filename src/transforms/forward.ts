/**
 * Forward mode and Jacobians: `jvp`, `jacfwd`, `jacrev`, `hessian`. A Jacobian maps a derivative over a basis: forward
 * mode over the inputs, reverse mode over the results.
 */
import { isComplex, isInexact } from "../core/dtype.ts";
import { reportNaNs } from "../core/nans.ts";
import { type NDArray } from "../core/ndarray.ts";
import { LinearOperand, type Tangent, Zero } from "../core/primitive.ts";
import { ArgumentError, DTypeError, TreeError } from "../core/problem.ts";
import { batchToFront, eye, instantiate, moveAxis, reshape, tangentAval } from "../core/structural.ts";
import { type TreeDef, treeDifferences, unflatten } from "../core/tree.ts";
import { batchCall } from "./batch.ts";
import { type AnyFunction, checkCallable, checkOptions, flattenArgs, flattenResult, nameOf } from "../core/call.ts";
import { AuxSplitter, argumentNumber, matchTangent, named } from "./gradient.ts";
import { interpreters } from "./interpreters.ts";
import { jvpCall } from "./jvp.ts";
import { linearizeCall } from "./linearize.ts";
import { backwardPass } from "./transpose.ts";
import type { Arrays, Pytree } from "../core/types.ts";

/**
 * The value of `f` and its derivative in one direction, in one forward run.
 *
 * @param primals list of arguments.
 * @param tangents list of directions, one per argument, with its structure, shapes and dtypes.
 * @returns `[value, tangent]`, and aux with `{ hasAux: true }`.
 * @example
 * jvp((x) => np.sin(x), [np.array(0)], [np.array(1)]) // [0, 1]
 */
export function jvp<A extends readonly unknown[], R, Aux>(
  f: (...args: A) => readonly [R, Aux],
  primals: readonly [...A],
  tangents: { readonly [K in keyof A]: unknown },
  options: { readonly hasAux: true },
): [Arrays<R>, Arrays<R>, Aux];
export function jvp<A extends readonly unknown[], R>(
  f: ((...args: A) => R) & Pytree<A>,
  primals: readonly [...A],
  tangents: { readonly [K in keyof A]: unknown },
): [Arrays<R>, Arrays<R>];
export function jvp(
  f: AnyFunction,
  primals: readonly unknown[],
  tangents: readonly unknown[],
  options: { hasAux?: boolean } = {},
): unknown {
  checkCallable("jvp", f);
  checkOptions("jvp", options, ["hasAux"]);
  for (const [x, what] of [
    [primals, "primals"],
    [tangents, "tangents"],
  ] as const)
    if (!Array.isArray(x))
      throw new ArgumentError("JvpArguments", {
        what: `jvp: ${what} must be a list with one entry per argument`,
        why: "jvp(f, primals, tangents) takes the arguments and the directions as lists",
        fix: "wrap them: jvp(f, [x], [dx])",
      });
  const xs = flattenArgs(primals, "jvp");
  const ts = flattenArgs(tangents, "jvp");
  if (!xs.def.equals(ts.def))
    throw new TreeError("TangentTree", {
      what: `jvp: the tangents differ from the primals:\n    ${treeDifferences(xs.def, ts.def).join("\n    ")}`,
      why: "a tangent has the structure of the primal it belongs to",
      fix: "pass one tangent per argument, each a tree like that argument",
    });
  const given = ts.leaves.map((t, i): Tangent => {
    const primal = xs.leaves[i]!;
    return isInexact(primal.dtype)
      ? matchTangent(t, primal.aval, "jvp", "tangent")
      : new Zero(tangentAval(primal.aval));
  });
  let outDef: TreeDef;
  let auxDef: TreeDef | null = null;
  return reportNaNs(
    () => {
      let numOuts = 0;
      const out = jvpCall(
        (leaves) => {
          const result: unknown = f(...(unflatten(xs.def, leaves) as unknown[]));
          if (!options.hasAux) {
            const flat = flattenResult(result, "jvp", f);
            outDef = flat.def;
            numOuts = flat.leaves.length;
            return flat.leaves;
          }
          const [value, aux] = result as [unknown, unknown];
          const [flat, flatAux] = [flattenResult(value, "jvp", f), flattenResult(aux, "jvp", f)];
          [outDef, auxDef, numOuts] = [flat.def, flatAux.def, flat.leaves.length];
          return [...flat.leaves, ...flatAux.leaves];
        },
        xs.leaves,
        given,
        `jvp(${nameOf(f)})`,
        interpreters,
      );
      const primalsOut = out.primals.slice(0, numOuts);
      const tangentsOut = out.tangents
        .slice(0, numOuts)
        .map((t, i) => instantiate(t instanceof Zero ? new Zero(tangentAval(primalsOut[i]!.aval)) : t));
      const result = [unflatten(outDef, primalsOut), unflatten(outDef, tangentsOut)];
      if (auxDef) result.push(unflatten(auxDef, out.primals.slice(numOuts)));
      return { result, arrays: [...primalsOut, ...tangentsOut] };
    },
    (r) => r.arrays,
  ).result;
}

// ---------------------------------------------------------------- Jacobians

export interface JacobianOptions {
  /** Which arguments to differentiate; a list gives a list of Jacobians. Default 0. */
  readonly argnums?: number | readonly number[];
  /** The function returns `[value, aux]`, and the result becomes `[jacobian, aux]`. */
  readonly hasAux?: boolean;
  readonly holomorphic?: boolean;
  /** jacrev only: allow integer arguments. */
  readonly allowInt?: boolean;
}
const jacobianOptions = ["argnums", "hasAux", "holomorphic", "allowInt"] as const;

/** What both modes share: arguments selected and flattened, and `f` as a function of the selected leaves. */
class Selected {
  readonly leaves: readonly NDArray[];
  readonly def: TreeDef;
  readonly single: boolean;
  outDef!: TreeDef;
  numOuts = 0;
  readonly #aux: AuxSplitter;
  #auxValue: unknown;
  readonly #f: AnyFunction;
  readonly #args: readonly unknown[];
  readonly #list: readonly number[];
  readonly #options: JacobianOptions;
  readonly #transform: string;

  constructor(f: AnyFunction, args: readonly unknown[], options: JacobianOptions, transform: string) {
    const { argnums = 0 } = options;
    this.single = typeof argnums === "number";
    this.#list = (typeof argnums === "number" ? [argnums] : argnums).map((n) =>
      argumentNumber(n, args.length, transform, f),
    );
    const flat = flattenArgs(
      this.#list.map((n) => args[n]),
      transform,
    );
    this.leaves = flat.leaves;
    this.def = flat.def;
    this.#f = f;
    this.#aux = new AuxSplitter(options.hasAux ?? false, transform, f);
    this.#args = args;
    this.#options = options;
    this.#transform = transform;
    for (const x of flat.leaves) this.#check(x);
  }

  #check(x: NDArray): void {
    const { holomorphic, allowInt } = this.#options;
    if ((holomorphic && isComplex(x.dtype)) || (!holomorphic && (isInexact(x.dtype) || allowInt))) return;
    throw new DTypeError("JacobianInput", {
      what: `${this.#transform}: an argument is ${String(x.aval)}`,
      why: holomorphic
        ? "with holomorphic: true the arguments are complex"
        : "derivatives are defined for floating-point arguments",
      fix: holomorphic ? "pass complex64 arrays" : "pass x.astype(numpy.float32), or choose other argnums",
    });
  }

  readonly call = (xs: readonly NDArray[]): readonly NDArray[] => {
    const all = [...this.#args];
    (unflatten(this.def, xs) as unknown[]).forEach((x, i) => (all[this.#list[i]!] = x));
    const value = this.#aux.value(this.#f(...all));
    const flat = flattenResult(value, this.#transform, this.#f);
    this.outDef = flat.def;
    this.numOuts = flat.leaves.length;
    return [...flat.leaves, ...this.#aux.arrays()];
  };

  /** Takes note of the aux values, which follow the results of `call`. */
  keepAux(primals: readonly NDArray[]): void {
    if (this.#options.hasAux) this.#auxValue = this.#aux.rebuild(primals.slice(this.numOuts));
  }

  /** Output leaves of trees of inputs: `blocks[o][i]` becomes the tree. */
  assemble(blocks: readonly (readonly NDArray[])[]): unknown {
    const rows = blocks.map((row) => {
      const list = unflatten(this.def, row) as unknown[];
      return this.single ? list[0] : list;
    });
    const jacobian = unflatten(this.outDef, rows);
    return this.#options.hasAux ? [jacobian, this.#auxValue] : jacobian;
  }
}

/** Blocks of the identity: for leaf `x`, one basis tensor per element. */
const basis = (x: NDArray): NDArray => reshape(eye(x.size, x.size, 0, x.dtype), [x.size, ...x.shape]);

/**
 * The Jacobian by forward mode: one column per input element. Prefer it where inputs are few.
 *
 * @returns a function whose result has the structure of `f`'s, each leaf replaced by a tree like the argument with
 *   leaves of shape `[...outShape, ...inShape]`.
 * @example
 * jacfwd((x) => np.square(x))(np.array([1, 2])) // [[2, 0], [0, 4]]
 */
export function jacfwd<A extends readonly unknown[]>(
  f: ((...args: A) => NDArray) & Pytree<A[0]>,
  options?: JacobianOptions,
): (...args: A) => Arrays<A[0]>;
export function jacfwd(f: AnyFunction, options?: JacobianOptions): AnyFunction;
export function jacfwd(f: AnyFunction, options: JacobianOptions = {}): AnyFunction {
  checkCallable("jacfwd", f);
  checkOptions("jacfwd", options, jacobianOptions);
  const wrapped = (...args: unknown[]): unknown => {
    const sel = new Selected(f, args, options, "jacfwd");
    const columns = sel.leaves.map((leaf, k) => {
      const tangents = (direction: NDArray): Tangent[] =>
        sel.leaves.map((x, i) => (i === k ? direction : new Zero(tangentAval(x.aval))));
      const push = ([direction]: readonly NDArray[]): readonly NDArray[] => {
        const out = jvpCall(sel.call, sel.leaves, tangents(direction!), `jacfwd(${nameOf(f)})`, interpreters);
        const ts = out.tangents
          .slice(0, sel.numOuts)
          .map((t, i) => instantiate(t instanceof Zero ? new Zero(tangentAval(out.primals[i]!.aval)) : t));
        return [...ts, ...out.primals.slice(sel.numOuts)];
      };
      const { outs: all, dims } = batchCall(
        push,
        [basis(leaf)],
        [0],
        { size: leaf.size, name: null },
        "jacfwd",
        interpreters,
      );
      const outs = all.slice(0, sel.numOuts);
      // Primal values do not depend on the direction, so aux comes out without a batch axis.
      sel.keepAux(all);
      return outs.map((y, o) => {
        const columnsLast = moveAxis(batchToFront(y, dims[o]!, leaf.size), 0, y.ndim - (dims[o] === null ? 0 : 1));
        return reshape(columnsLast, [...columnsLast.shape.slice(0, -1), ...leaf.shape]);
      });
    });
    return sel.assemble(range(sel.numOuts).map((o) => columns.map((c) => c[o]!)));
  };
  return named(wrapped, f, "jacfwd");
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * The Jacobian by reverse mode: one row per output element. Prefer it where outputs are few.
 *
 * @returns as `jacfwd`.
 * @example
 * jacrev((x) => np.square(x))(np.array([1, 2])) // [[2, 0], [0, 4]]
 */
export function jacrev<A extends readonly unknown[]>(
  f: ((...args: A) => NDArray) & Pytree<A[0]>,
  options?: JacobianOptions,
): (...args: A) => Arrays<A[0]>;
export function jacrev(f: AnyFunction, options?: JacobianOptions): AnyFunction;
export function jacrev(f: AnyFunction, options: JacobianOptions = {}): AnyFunction {
  checkCallable("jacrev", f);
  checkOptions("jacrev", options, jacobianOptions);
  const wrapped = (...args: unknown[]): unknown => {
    const sel = new Selected(f, args, options, "jacrev");
    const nonzeroIn = sel.leaves.map((x) => isInexact(x.dtype));
    const lin = linearizeCall(sel.call, sel.leaves, nonzeroIn, `jacrev(${nameOf(f)})`, interpreters);
    const { jaxpr, consts } = lin.linear;
    const ofNonzero = lin.nonzeroOut.map((nz, i) => (nz ? lin.nonzeroOut.slice(0, i).filter(Boolean).length : -1));
    sel.keepAux(lin.primals);
    const blocks = lin.primals.slice(0, sel.numOuts).map((y, o) => {
      const pull = ([direction]: readonly NDArray[]): readonly NDArray[] => {
        const cts = jaxpr.outs.map((a, i): Tangent => (i === ofNonzero[o] ? direction! : new Zero(a.aval)));
        const out = backwardPass(
          jaxpr,
          consts,
          jaxpr.inVars.map((v) => new LinearOperand(v.aval)),
          cts,
          interpreters,
        );
        let next = 0;
        return sel.leaves.map((x, i) => instantiate(nonzeroIn[i] ? out[next++]! : new Zero(tangentAval(x.aval))));
      };
      const { outs, dims } = batchCall(pull, [basis(y)], [0], { size: y.size, name: null }, "jacrev", interpreters);
      return outs.map((ct, i) => reshape(batchToFront(ct, dims[i]!, y.size), [...y.shape, ...sel.leaves[i]!.shape]));
    });
    return sel.assemble(blocks);
  };
  return named(wrapped, f, "jacrev");
}

/** The same as `jacrev`. */
export const jacobian: typeof jacrev = jacrev;

/**
 * Second derivatives, forward over reverse: leaves of shape `[...outShape, ...inShape, ...inShape]`.
 *
 * @example
 * hessian((x) => np.sum(x.mul(x).mul(x)))(np.array([1, 2])) // [[6, 0], [0, 12]]
 */
export function hessian<A extends readonly unknown[]>(
  f: ((...args: A) => NDArray) & Pytree<A[0]>,
  options?: JacobianOptions,
): (...args: A) => Arrays<A[0]>;
export function hessian(f: AnyFunction, options?: JacobianOptions): AnyFunction;
export function hessian(f: AnyFunction, options: JacobianOptions = {}): AnyFunction {
  return named(jacfwd(jacrev(f, options), options), f, "hessian");
}
