/**
 * `customVjp`: a function with a reverse-mode rule of its own, in two halves: `fwd` computes the value and residuals,
 * `bwd` maps residuals and a cotangent to cotangents of the arguments.
 *
 * Linearization runs `fwd` and records one equation, `custom_lin`, that stands for the unknown linear map; its transpose
 * is `bwd`. Evaluating that equation forwards is impossible, which is how forward mode is refused.
 */
import type { Aval } from "../core/aval.ts";
import { isInexact } from "../core/dtype.ts";
import { evalJaxpr } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type Many, type Primitive, type Tangent, Zero, definePrimitive } from "../core/primitive.ts";
import { ArgumentError, DifferentiationError, TransformError, TreeError } from "../core/problem.ts";
import { batchToFront, instantiate, moveAxis, sumAxes, tangentAval, zerosLike } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { type TreeDef, describeValue, flatten, leafDef, treeDifferences, unflatten } from "../core/tree.ts";
import {
  type AnyFunction,
  FlatFunction,
  checkCallable,
  checkOptions,
  flattenResult,
  flattenTree,
  nameOf,
} from "../core/call.ts";
import { type CustomCallParams, checkCustomCall, customCallSlots } from "./callRules.ts";
import { SplitArguments, batchedCall, capturedDerivative } from "./customJvp.ts";
import { matchTangent, named } from "./gradient.ts";

/** `fwd` on flat arrays: results, then residuals. */
type FlatFwd = (args: readonly NDArray[]) => {
  readonly outs: readonly NDArray[];
  readonly residuals: readonly NDArray[];
};
/** `bwd` on flat arrays: residuals, then cotangents of the results; gives one cotangent per argument. */
type FlatBwd = (residuals: readonly NDArray[], cotangents: readonly NDArray[]) => readonly NDArray[];

interface CustomVjpParams extends CustomCallParams {
  readonly fwd: FlatFwd;
  readonly bwd: FlatBwd;
}

interface CustomLinParams {
  readonly name: string;
  readonly bwd: FlatBwd;
  readonly numResiduals: number;
  readonly outs: readonly Aval[];
}

const forwardMode = (name: string): DifferentiationError =>
  new DifferentiationError("ForwardModeCustomVjp", {
    what: `forward mode (jvp, jacfwd) was applied to ${name}, which has a reverse-mode rule only`,
    why: "customVjp tells how cotangents are pulled back, not how tangents are pushed forward",
    fix: "use grad, vjp or jacrev, or define the function with customJvp, which serves both modes",
  });

/** The linear map of a customVjp function, known only by its transpose. */
const customLinP: Primitive<Many, CustomLinParams> = /* @__PURE__ */ definePrimitive<Many, CustomLinParams>({
  name: "custom_lin",
  kind: "control",
  infer: (_, { outs }) => outs.map(tangentAval),
  reference: (_ins, { name }) => {
    throw forwardMode(name);
  },
  jvp: (_primals, _tangents, { name }) => {
    throw forwardMode(name);
  },
  transpose: (cts, operands, { bwd, numResiduals, outs }) => {
    const residuals = operands.slice(0, numResiduals) as readonly NDArray[];
    const given = cts.map((t, i) => instantiate(t instanceof Zero ? new Zero(tangentAval(outs[i]!)) : t));
    return [...residuals.map(() => null), ...bwd(residuals, given)];
  },
  batch: (operands, dims, params, axis, interpreters) => {
    // Only the transpose can be run, so only it is batched; tangents come in with the axis in front.
    const { numResiduals } = params;
    const resDims = dims.slice(0, numResiduals);
    const bwd: FlatBwd = (residuals, cts) =>
      batchedCall(
        (xs) => params.bwd(xs.slice(0, numResiduals), xs.slice(numResiduals)),
        [...resDims, ...cts.map(() => 0)],
        axis,
        interpreters,
      )([...residuals, ...cts]);
    const outs = bind(customLinP, operands, {
      ...params,
      bwd,
      outs: params.outs.map((a) => a.withShape([axis.size, ...a.shape])),
    });
    return { outs, dims: outs.map(() => 0) };
  },
  lower: (_ins, { name }) => ({
    form: "compose",
    with: () => {
      throw forwardMode(name);
    },
  }),
  printParams: ({ name }) => ({ name }),
});

export const customVjpP: Primitive<Many, CustomVjpParams> = /* @__PURE__ */ definePrimitive<Many, CustomVjpParams>({
  .../* @__PURE__ */ customCallSlots<CustomVjpParams>(),
  name: "custom_vjp_call",
  jvp: (primals, tangents, params) => {
    const lin = linearizeCustom(primals, params);
    return { primals: lin.outs, tangents: lin.push(tangents) };
  },
  linearize: (primals, _nonzero, params) => {
    const lin = linearizeCustom(primals, params);
    return { primals: lin.outs, tangents: lin.push };
  },
  batch: (operands, dims, params, axis, interpreters) => {
    const argDims = dims.slice(params.numConsts);
    let numOuts = 0;
    let resDims: readonly (number | null)[] = [];
    const next: CustomVjpParams = {
      ...params,
      call: batchedCall(params.call, argDims, axis, interpreters),
      fwd: (args) => {
        const out = interpreters.batchCall(
          (xs) => {
            const r = params.fwd(xs);
            numOuts = r.outs.length;
            return [...r.outs, ...r.residuals];
          },
          args,
          argDims,
          axis,
        );
        resDims = out.dims.slice(numOuts);
        const outs = out.outs.slice(0, numOuts).map((y, i) => batchToFront(y, out.dims[i]!, axis.size));
        return { outs, residuals: out.outs.slice(numOuts) };
      },
      bwd: (residuals, cts) => {
        const n = residuals.length;
        const run = batchedCall(
          (xs) => params.bwd(xs.slice(0, n), xs.slice(n)),
          [...resDims, ...cts.map(() => 0)],
          axis,
          interpreters,
        );
        // An argument that all examples share receives the sum of their cotangents.
        return run([...residuals, ...cts]).map((ct, i) =>
          argDims[i] === null ? sumAxes(ct, [0]) : moveAxis(ct, 0, argDims[i]!),
        );
      },
      jaxpr: params.jaxpr && interpreters.batchJaxpr(params.jaxpr, axis, dims, true).jaxpr,
    };
    const outs = bind(customVjpP, operands, next);
    return { outs, dims: outs.map(() => 0) };
  },
  check: (ins, params, checker) =>
    checkCustomCall(customVjpP, ins, params, checker, (checked) => {
      const captured = ins.slice(0, params.numConsts).map((x) => tangentAval(x.aval));
      return {
        ...params,
        fwd: (args) => {
          const state = evalJaxpr(checked.function, [], args).slice(0, checked.count);
          const { outs, residuals } = params.fwd(args.slice(params.numConsts));
          return { outs: [...state, ...outs], residuals };
        },
        bwd: (residuals, cts) => [...captured.map(zerosLike), ...params.bwd(residuals, cts.slice(checked.count))],
      };
    }),
});

/** Runs the forward half; tangents become the operands of `custom_lin`. */
function linearizeCustom(
  primals: readonly NDArray[],
  params: CustomVjpParams,
): { outs: readonly NDArray[]; push: (tangents: readonly Tangent[]) => readonly Tangent[] } {
  const { fwd, bwd, name, numConsts } = params;
  const { outs, residuals } = fwd(primals.slice(numConsts));
  return {
    outs,
    push: (tangents) => {
      if (tangents.slice(0, numConsts).some((t) => !(t instanceof Zero))) throw capturedDerivative("customVjp", name);
      const ts = tangents
        .slice(numConsts)
        .map((t) => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t));
      const lin: CustomLinParams = { name, bwd, numResiduals: residuals.length, outs: outs.map((y) => y.aval) };
      const results = bind(customLinP, [...residuals, ...ts], lin);
      return results.map((t, i) => (isInexact(outs[i]!.dtype) ? t : new Zero(outs[i]!.aval)));
    },
  };
}

export interface CustomVjpFunction<A extends readonly unknown[], R> {
  (...args: A): R;
  /**
   * Sets the rule.
   *
   * @param fwd the function's arguments to `[value, residuals]`.
   * @param bwd `(…nondiff arguments, residuals, cotangent)` to a list with one cotangent per differentiable argument
   *   (null for zero).
   */
  defvjp(fwd: AnyFunction, bwd: AnyFunction): void;
}

/**
 * A function whose vector-Jacobian product is given by a rule.
 *
 * @example
 * const clipGradient = customVjp((x) => x);
 * clipGradient.defvjp((x) => [x, null], (_, ct) => [np.clip(ct, -1, 1)]);
 */
export function customVjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: { readonly nondiffArgnums?: readonly number[] } = {},
): CustomVjpFunction<A, R> {
  checkCallable("customVjp", f);
  checkOptions("customVjp", options, ["nondiffArgnums", "nondiffArgnames"]);
  const fn = f as unknown as AnyFunction;
  const nondiff = options.nondiffArgnums ?? [];
  let rule: { fwd: AnyFunction; bwd: AnyFunction } | null = null;
  const wrapped = (...args: unknown[]): unknown => {
    if (!rule)
      throw new TransformError("NoCustomRule", {
        what: `customVjp: no rule has been set for ${nameOf(f)}`,
        why: "customVjp replaces the derivative by the one you give",
        fix: "call f.defvjp(fwd, bwd) right after making f",
      });
    const split = new SplitArguments(args, nondiff, "customVjp", fn);
    const listDef = flatten(split.leaves.map(() => 0))[1];
    const flat = new FlatFunction((...xs: unknown[]) => fn(...split.rebuild(xs as NDArray[])), listDef, "customVjp");
    const halves = new Halves(fn, rule.fwd, rule.bwd, split, (def) => (flat.out = def));
    const params: CustomVjpParams = {
      name: nameOf(f),
      call: flat.call,
      fwd: halves.fwd,
      bwd: halves.bwd,
      jaxpr: null,
      numConsts: 0,
    };
    const outs = bind(customVjpP, split.leaves, params);
    return unflatten(flat.out!, outs);
  };
  return Object.assign(named(wrapped, fn, "customVjp"), {
    defvjp: (fwd: AnyFunction, bwd: AnyFunction) => {
      checkCallable("defvjp", fwd);
      checkCallable("defvjp", bwd);
      rule = { fwd, bwd };
    },
  }) as unknown as CustomVjpFunction<A, R>;
}

/** The user's two halves as functions of flat arrays, with their results checked. */
class Halves {
  #residualDef: TreeDef = leafDef;
  #outDef: TreeDef = leafDef;
  readonly #f: AnyFunction;
  readonly #fwd: AnyFunction;
  readonly #bwd: AnyFunction;
  readonly #split: SplitArguments;
  readonly #setOut: (def: TreeDef) => void;
  constructor(
    f: AnyFunction,
    fwd: AnyFunction,
    bwd: AnyFunction,
    split: SplitArguments,
    setOut: (def: TreeDef) => void,
  ) {
    this.#f = f;
    this.#fwd = fwd;
    this.#bwd = bwd;
    this.#split = split;
    this.#setOut = setOut;
  }

  readonly fwd: FlatFwd = (args) => {
    const result: unknown = this.#fwd(...this.#split.rebuild(args));
    if (!Array.isArray(result) || result.length !== 2)
      throw new ArgumentError("FwdResult", {
        what: `customVjp: the forward half of ${nameOf(this.#f)} must return [value, residuals]`,
        why: "residuals are what the backward half needs of the forward run",
        fix: "return a list of two; use null if there are no residuals",
      });
    const value = flattenResult(result[0], "customVjp", this.#fwd);
    const residuals = flattenTree(result[1], "customVjp", `the residuals of ${nameOf(this.#f)}`);
    this.#residualDef = residuals.def;
    this.#outDef = value.def;
    this.#setOut(value.def);
    return { outs: value.leaves, residuals: residuals.leaves };
  };

  readonly bwd: FlatBwd = (residuals, cotangents) => {
    const { fixed, def, leaves } = this.#split;
    const result: unknown = this.#bwd(
      ...fixed,
      unflatten(this.#residualDef, residuals),
      unflatten(this.#outDef, cotangents),
    );
    const count = def.children.length;
    if (!Array.isArray(result) || result.length !== count)
      throw new ArgumentError("BwdResult", {
        what: `customVjp: the backward half of ${nameOf(this.#f)} must return a list of ${count} cotangents, but returned ${describeValue(result)}`,
        why: "there is one cotangent per differentiable argument",
        fix: count === 1 ? "return [ct], a list of one" : "return one cotangent per argument; null stands for zero",
      });
    let at = 0;
    return def.children.flatMap((argDef, i) => {
      const mine = leaves.slice(at, (at += argDef.numLeaves));
      return this.#cotangentOf(result[i], argDef, mine, i);
    });
  };

  #cotangentOf(ct: unknown, argDef: TreeDef, mine: readonly NDArray[], i: number): NDArray[] {
    const zeros = (): NDArray[] => mine.map((x) => instantiate(new Zero(tangentAval(x.aval))));
    if (ct === null || ct === undefined) return zeros();
    const flat = flattenTree(ct, "customVjp", `cotangent ${i} from the backward half of ${nameOf(this.#f)}`);
    if (!flat.def.equals(argDef))
      throw new TreeError("BwdTree", {
        what: `customVjp: cotangent ${i} from the backward half of ${nameOf(this.#f)} differs from argument ${i}:\n    ${treeDifferences(argDef, flat.def).join("\n    ")}`,
        why: "a cotangent has the structure of the argument it belongs to",
        fix: "return a tree like the argument; null stands for zero",
      });
    const what = `customVjp: the backward half of ${nameOf(this.#f)}`;
    return flat.leaves.map((x, k) =>
      isInexact(mine[k]!.dtype) ? matchCotangent(x, mine[k]!.aval, what) : zeros()[k]!,
    );
  }
}

const matchCotangent = (ct: NDArray, primal: Aval, what: string): NDArray =>
  matchTangent(ct, primal, what, "cotangent");
