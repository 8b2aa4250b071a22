/** `customVmap`: a function with a batching rule of its own. */
import { evalJaxpr } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type Many, type Primitive, Zero, definePrimitive } from "../core/primitive.ts";
import { ArgumentError, TransformError } from "../core/problem.ts";
import { batchToFront, instantiate, moveAxis, tangentAval } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { flatten, unflatten } from "../core/tree.ts";
import { type AnyFunction, FlatFunction, checkCallable, flattenArgs, flattenResult, nameOf } from "../core/call.ts";
import { type CustomCallParams, type FlatCall, customCallSlots, linearizeOfCall } from "./callRules.ts";
import { checkRuleTree } from "./customJvp.ts";
import { named } from "./gradient.ts";

/** The rule on flat arrays, mapped operands with the axis in front. */
type FlatRule = (
  size: number,
  batched: readonly boolean[],
  args: readonly NDArray[],
) => { readonly outs: readonly NDArray[]; readonly batched: readonly boolean[] };

interface CustomVmapParams extends CustomCallParams {
  readonly rule: FlatRule;
}

export const customVmapP: Primitive<Many, CustomVmapParams> = /* @__PURE__ */ definePrimitive<Many, CustomVmapParams>({
  .../* @__PURE__ */ customCallSlots<CustomVmapParams>(),
  name: "custom_vmap_call",
  jvp: (primals, tangents, params, { jvpCall, batchCall }) => {
    // The derivative keeps the rule: the batched derivative is the derivative of the batched form.
    const n = primals.length - params.numConsts;
    const nonzero = tangents.slice(params.numConsts);
    const call = params.jaxpr
      ? (xs: readonly NDArray[]) => evalJaxpr(params.jaxpr!, [], [...primals.slice(0, params.numConsts), ...xs])
      : params.call;
    const both: FlatCall = (xs) => {
      const out = jvpCall(call, xs.slice(0, n), xs.slice(n));
      return [
        ...out.primals,
        ...out.tangents.map((t, i) => instantiate(t instanceof Zero ? new Zero(tangentAval(out.primals[i]!.aval)) : t)),
      ];
    };
    const rule: FlatRule = (size, mapped, args) => {
      if (!mapped.slice(0, n).includes(true)) {
        // Only directions are mapped (a Jacobian): the function itself is not, and its rule has no part in this.
        const dims = mapped.map((b) => (b ? 0 : null));
        const out = batchCall(both, args, dims, { size, name: null });
        const outs = out.outs.map((y, i) => (out.dims[i] === null ? y : moveAxis(y, out.dims[i]!, 0)));
        return { outs, batched: out.dims.map((d) => d !== null) };
      }
      // A value and its tangent go through the rule together, so both are mapped or neither.
      const batched = mapped.slice(0, n).map((b, i) => b || mapped[n + i]!);
      const xs = args.map((x, i) => (batched[i % n] && !mapped[i] ? batchToFront(x, null, size) : x));
      const flags: boolean[] = [];
      const out = jvpCall(
        (ys) => {
          const r = params.rule(size, batched, ys);
          flags.push(...r.batched);
          return r.outs;
        },
        xs.slice(0, n),
        xs.slice(n),
      );
      return {
        outs: [
          ...out.primals,
          ...out.tangents.map((t, i) =>
            instantiate(t instanceof Zero ? new Zero(tangentAval(out.primals[i]!.aval)) : t),
          ),
        ],
        batched: [...flags, ...flags],
      };
    };
    const ts = nonzero.map((t) => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t));
    const outs = bind(customVmapP, [...primals.slice(params.numConsts), ...ts], {
      name: params.name,
      call: both,
      rule,
      jaxpr: null,
      numConsts: 0,
    });
    const half = outs.length / 2;
    return { primals: outs.slice(0, half), tangents: outs.slice(half) };
  },
  linearize: (primals, nonzero, params, { trace, linearizeJaxpr }) => {
    // Reverse mode differentiates the function itself: the batching rule says nothing about derivatives.
    const { jaxpr, args } = params.jaxpr
      ? { jaxpr: params.jaxpr, args: primals }
      : (() => {
          const traced = trace(
            (...xs) => params.call(xs),
            primals.map((x) => x.aval),
            params.name,
          );
          return { jaxpr: traced.jaxpr, args: [...traced.consts, ...primals] };
        })();
    const captured = new Array<boolean>(args.length - primals.length).fill(false);
    const flags = [...captured, ...nonzero];
    const lin = linearizeOfCall(args, flags, linearizeJaxpr(jaxpr, flags, false), (j, ins) => evalJaxpr(j, [], ins));
    return {
      primals: lin.primals,
      tangents: (ts) => lin.tangents([...captured.map((_, i) => new Zero(args[i]!.aval)), ...ts]),
    };
  },
  batch: (operands, dims, params, axis) => {
    const { numConsts, rule, name } = params;
    if (dims.slice(0, numConsts).some((d) => d !== null))
      throw new TransformError("CapturedBatch", {
        what: `customVmap: ${name} captured a value that is mapped`,
        why: "the batching rule only receives the function's arguments",
        fix: "pass the value as an argument",
      });
    const front = operands
      .slice(numConsts)
      .map((x, i) => (dims[numConsts + i] === null ? x : moveAxis(x, dims[numConsts + i]!, 0)));
    const out = rule(
      axis.size,
      dims.slice(numConsts).map((d) => d !== null),
      front,
    );
    return { outs: out.outs, dims: out.batched.map((b) => (b ? 0 : null)) };
  },
});

export interface CustomVmapFunction<A extends readonly unknown[], R> {
  (...args: A): R;
  /**
   * Sets the rule: `(axisSize, inBatched, …args) => [value, outBatched]`. Mapped arguments come with the axis in front;
   * `inBatched` and `outBatched` are trees of booleans like the arguments and the value.
   */
  defVmap(rule: AnyFunction): AnyFunction;
}

/**
 * A function whose batched form is given by a rule.
 *
 * @example
 * const f = customVmap((x) => np.sin(x));
 * f.defVmap((axisSize, [batched], x) => [np.sin(x), batched]);
 */
export function customVmap<A extends readonly unknown[], R>(f: (...args: A) => R): CustomVmapFunction<A, R> {
  checkCallable("customVmap", f);
  const fn = f as unknown as AnyFunction;
  let rule: AnyFunction | null = null;
  const wrapped = (...args: unknown[]): unknown => {
    const r = rule;
    if (!r)
      throw new TransformError("NoCustomRule", {
        what: `customVmap: no rule has been set for ${nameOf(f)}`,
        why: "customVmap replaces the batched form by the one you give",
        fix: "call f.defVmap((axisSize, inBatched, …args) => [value, outBatched]) right after making f",
      });
    const { leaves, def } = flattenArgs(args, "customVmap");
    const flat = new FlatFunction(fn, def, "customVmap");
    const flatRule: FlatRule = (size, batched, xs) => {
      const result: unknown = r(size, unflatten(def, batched), ...(unflatten(def, xs) as unknown[]));
      if (!Array.isArray(result) || result.length !== 2)
        throw new ArgumentError("VmapRuleResult", {
          what: `customVmap: the rule of ${nameOf(f)} must return [value, outBatched]`,
          why: "outBatched says which results have the mapped axis (in front)",
          fix: "return a list of two: the batched value and a tree of booleans like it",
        });
      const value = flattenResult(result[0], "customVmap", r);
      const [flags, flagsDef] = flatten(result[1]);
      checkRuleTree(`customVmap: outBatched from the rule of ${nameOf(f)}`, value.def, flagsDef);
      flat.out = value.def;
      return { outs: value.leaves, batched: flags.map(Boolean) };
    };
    const outs = bind(customVmapP, leaves, {
      name: nameOf(f),
      call: flat.call,
      rule: flatRule,
      jaxpr: null,
      numConsts: 0,
    });
    return unflatten(flat.out!, outs);
  };
  return Object.assign(named(wrapped, fn, "customVmap"), {
    defVmap: (r: AnyFunction) => (checkCallable("defVmap", r), (rule = r)),
  }) as unknown as CustomVmapFunction<A, R>;
}
