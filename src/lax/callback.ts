/**
 * Callbacks: JavaScript functions called from inside a program, with concrete arrays.
 *
 * One primitive serves all: `debug` callbacks return nothing and are kept by dead-code removal; `io` callbacks run
 * exactly once (in program order if `ordered`); `pure` ones may be dropped, merged or repeated. Their derivative does not
 * exist, except that debug callbacks simply look at the primal values.
 */
import { type Aval, avalsEqual } from "../core/aval.ts";
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type AnyFunction, checkCallable, flattenArgs, nameOf } from "../core/call.ts";
import type { Effect } from "../core/effects.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type BatchAxis,
  type Batched,
  type Many,
  type Primitive,
  type ReferenceContext,
  Zero,
  definePrimitive,
} from "../core/primitive.ts";
import { ArgumentError, BatchingError, DifferentiationError, TransformError } from "../core/problem.ts";
import { splitOptions } from "../core/options.ts";
import { currentPlace } from "../core/source.ts";
import { batchToFront, broadcastInDim, convert, moveAxis } from "../core/structural.ts";
import { ShapeDtypeStruct } from "../core/shapeDtypeStruct.ts";
import { range } from "../core/shape.ts";
import { bind, evalTrace, withTrace } from "../core/trace.ts";
import { type TreeDef, flatten, unflatten } from "../core/tree.ts";
import { scan } from "./control/loops.ts";

/** How a callback is called for a batch: one example at a time, or once with the axis in front. */
export type VmapMethod = "sequential" | "sequential_unrolled" | "expand_dims" | "broadcast_all" | "legacy_vectorized";

type CallbackKind = "debug" | "io" | "ordered" | "pure";

interface CallbackParams {
  readonly kind: CallbackKind;
  readonly name: string;
  /** On flat concrete arrays. */
  readonly call: (args: readonly NDArray[]) => readonly NDArray[];
  readonly outs: readonly Aval[];
  readonly vmapMethod: VmapMethod | null;
}

const effects: Readonly<Record<CallbackKind, readonly Effect[]>> = {
  debug: ["debug"],
  io: ["io"],
  ordered: ["ordered"],
  pure: [],
};

export const callbackP: Primitive<Many, CallbackParams> = /* @__PURE__ */ definePrimitive<Many, CallbackParams>({
  name: "callback",
  kind: "opaque",
  infer: (_, { outs }) => outs,
  reference: (ins, params, _, context) => callHost(ins, params, context),
  jvp: (primals, _tangents, params) => {
    if (params.kind !== "debug") throw notDifferentiable(params.name);
    const outs = bind(callbackP, primals, params);
    return { primals: outs, tangents: outs.map((y) => new Zero(y.aval)) };
  },
  transpose: (_cts, _operands, { name }) => {
    throw notDifferentiable(name);
  },
  batch: (operands, dims, params, axis) => batchCallback(operands, dims, params, axis),
  lower: (_, params) => ({ form: "host", call: (ins, context) => callHost(ins, params, context) }),
  effects: ({ kind }) => effects[kind],
  printParams: ({ kind, name, vmapMethod }) => ({ callback: name, kind, vmap_method: vmapMethod ?? undefined }),
});

function callHost(
  ins: readonly HostArray[],
  { call, name, outs }: CallbackParams,
  context: ReferenceContext,
): readonly HostArray[] {
  const results = withTrace(evalTrace, () => call(ins.map((x) => context.toArray(x))));
  return results.map((y, i) => {
    checkResult(name, y, outs[i]!, i);
    return context.fromArray(y);
  });
}

const notDifferentiable = (name: string): DifferentiationError =>
  new DifferentiationError("CallbackDerivative", {
    what: `the callback ${name} was differentiated`,
    where: currentPlace(),
    why: "what a JavaScript function computes cannot be traced, so its derivative is unknown",
    fix: "give it a rule with customJvp or customVjp, or wrap its operands in stopGradient",
  });

function checkResult(name: string, y: NDArray, expected: Aval, i: number): void {
  if (avalsEqual(y.aval, expected, true)) return;
  throw new TransformError("CallbackResult", {
    what: `the callback ${name} returned ${String(y.aval)} as result ${i}, but ${String(expected)} was promised`,
    why: "the program was compiled for the declared result types",
    fix: "return what resultShapeDtypes says, or correct it",
  });
}

function batchCallback(
  operands: readonly NDArray[],
  dims: readonly (number | null)[],
  params: CallbackParams,
  axis: BatchAxis,
): Batched {
  const { kind, vmapMethod, name, outs } = params;
  const method = kind === "pure" ? vmapMethod : "sequential";
  if (method === null)
    throw new BatchingError("CallbackVmap", {
      what: `pureCallback: ${name} was mapped by vmap, but no vmapMethod was given`,
      where: currentPlace(),
      why: "the library cannot know whether the function handles a batch",
      fix: 'pass { vmapMethod: "sequential" } to call it per example, or "broadcast_all" if it takes a leading batch axis',
    });
  if (kind === "ordered" || kind === "io")
    throw new BatchingError("IoCallbackVmap", {
      what: `ioCallback: ${name} was mapped by vmap`,
      where: currentPlace(),
      why: "a side effect that must run exactly once has no batched form",
      fix: "call it outside of vmap, or use debug.callback",
    });
  if (method !== "sequential" && method !== "sequential_unrolled") {
    const all = operands.map((x, i) =>
      dims[i] !== null
        ? moveAxis(x, dims[i]!, 0)
        : method === "broadcast_all"
          ? batchToFront(x, null, axis.size)
          : method === "expand_dims"
            ? broadcastInDim(
                x,
                [1, ...x.shape],
                range(x.ndim).map((k) => k + 1),
              )
            : x,
    );
    const results = bind(callbackP, all, { ...params, outs: outs.map((a) => a.withShape([axis.size, ...a.shape])) });
    return { outs: results, dims: results.map(() => 0) };
  }
  const mapped = operands.flatMap((x, i) => (dims[i] === null ? [] : [moveAxis(x, dims[i]!, 0)]));
  const body = (_: unknown, row: NDArray[]): readonly [null, readonly NDArray[]] => {
    let next = 0;
    return [
      null,
      bind(
        callbackP,
        operands.map((x, i) => (dims[i] === null ? x : row[next++]!)),
        params,
      ),
    ];
  };
  const [, ys] = scan(body as never, null, mapped, { length: axis.size }) as unknown as [null, NDArray[]];
  return { outs: ys, dims: ys.map(() => 0) };
}

/** Binds a callback on trees; gives the tree of results. */
function bindCallback(
  kind: CallbackKind,
  transform: string,
  f: AnyFunction,
  results: unknown,
  args: readonly unknown[],
  vmapMethod: VmapMethod | null,
): unknown {
  checkCallable(transform, f);
  const [shapes, outDef] = flatten(results, (x) => x instanceof ShapeDtypeStruct);
  const outs = shapes.map((s) => resultAval(s, transform));
  const { leaves, def } = flattenArgs(args, transform);
  const call = (xs: readonly NDArray[]): readonly NDArray[] => {
    const value: unknown = f(...(unflatten(def, xs) as unknown[]));
    return kind === "debug" ? [] : resultLeaves(value, outDef, outs, transform, f);
  };
  return unflatten(outDef, bind(callbackP, leaves, { kind, name: nameOf(f), call, outs, vmapMethod }));
}

function resultAval(s: unknown, transform: string): Aval {
  if (s instanceof ShapeDtypeStruct) return s.aval;
  if (typeof s === "object" && s !== null && "aval" in s) return (s as NDArray).aval;
  throw new ArgumentError("ResultShapes", {
    what: `${transform}: the description of the results holds ${String(s)}`,
    why: "a program must know the types of its values before it runs",
    fix: 'describe each result with new ShapeDtypeStruct([3], "float32") (or an array like it)',
  });
}

function resultLeaves(
  value: unknown,
  outDef: TreeDef,
  outs: readonly Aval[],
  transform: string,
  f: AnyFunction,
): NDArray[] {
  const [raw, def] = flatten(value, outDef.kind === "leaf" ? () => true : undefined);
  if (def.numLeaves !== outDef.numLeaves)
    throw new TransformError("CallbackResult", {
      what: `${transform}: ${nameOf(f)} returned ${def.numLeaves} values, but ${outDef.numLeaves} were promised`,
      why: "the program was compiled for the declared results",
      fix: "return what resultShapeDtypes says, or correct it",
    });
  return raw.map((x, i) => {
    const a = asArray(x as ArrayLike, transform);
    // Plain numbers and lists take the promised dtype; arrays must have it.
    return x === a ? a : convert(a, outs[i]!.dtype);
  });
}

export interface PureCallbackOptions {
  /** What to do under vmap; without it vmap is an error. */
  readonly vmapMethod?: VmapMethod;
}

/**
 * Calls a pure JavaScript function from inside a program. It receives concrete arrays and returns array-likes.
 *
 * @param f may be called any number of times, or not at all.
 * @param resultShapeDtypes a tree of `ShapeDtypeStruct`s that describes the results.
 * @example
 * jit((x) => lax.pureCallback((v) => v.js().map(Math.sin), new ShapeDtypeStruct([3], "float32"), x))(np.ones(3));
 */
// The result is a tree like resultShapeDtypes; callers know its form.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function pureCallback(f: AnyFunction, resultShapeDtypes: unknown, ...args: unknown[]): any {
  const [operands, options] = splitOptions<PureCallbackOptions>(args, ["vmapMethod"]);
  return bindCallback("pure", "pureCallback", f, resultShapeDtypes, operands, options.vmapMethod ?? null);
}

/**
 * Calls a JavaScript function with side effects exactly once per execution of this line.
 *
 * @param args operands of `f`; a trailing `{ ordered: true }` keeps the program order among all ordered callbacks.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function ioCallback(f: AnyFunction, resultShapeDtypes: unknown, ...args: unknown[]): any {
  const [operands, options] = splitOptions<{ ordered?: boolean }>(args, ["ordered"]);
  return bindCallback(options.ordered ? "ordered" : "io", "ioCallback", f, resultShapeDtypes, operands, null);
}

/**
 * Calls a function with the current values, for looking at them: under jit, grad, vmap (once per example) and in loops.
 *
 * @example
 * jit((x) => { debug.callback((v) => console.log(v.item()), x); return x; })(1);
 */
export function debugCallback(f: AnyFunction, ...args: unknown[]): void {
  const [operands, options] = splitOptions<{ ordered?: boolean }>(args, ["ordered", "partitioned"]);
  bindCallback(options.ordered ? "ordered" : "debug", "debug.callback", f, null, operands, null);
}

export const primitives: readonly AnyPrimitive[] = [callbackP];
