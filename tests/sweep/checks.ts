/** What every primitive is put through, given one sample of its operands. */
import { defaultDevice } from "../../src/backends/registry.ts";
import { Aval } from "../../src/core/aval.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import { checkJaxpr, evalJaxpr, hoistConsts, inAvals } from "../../src/core/jaxpr.ts";
import { DifferentiationError } from "../../src/core/problem.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { instantiate, tangentAval } from "../../src/core/structural.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { linearizeCall } from "../../src/transforms/linearize.ts";
import { backwardPass } from "../../src/transforms/transpose.ts";
import { distance, fromHost, host } from "../support/values.ts";
import { onDevice } from "../support/devices.ts";
import {
  type HostArray,
  type NDArray,
  LinearOperand,
  type Tangent,
  Zero,
  allocate,
  isAbsent,
  isInexact,
  lanesOf,
} from "./core.ts";
import { type Call, type Generator, type Sample, callOf, lastPlaces } from "./generator.ts";
import { directionLike, dot, example, moved, quotient, randomNumbers, rotated, stacked } from "./hosts.ts";

export { lastPlaces };

const fail = (what: string): never => {
  throw new Error(what);
};
function same(what: string, found: HostArray, wanted: HostArray, tolerance: number): void {
  const d = distance(found, wanted, tolerance);
  if (d) fail(`${what}: ${d}\n  found  ${found.data.join()}\n  wanted ${wanted.data.join()}`);
}
const show = (flags: readonly unknown[]): string => flags.map((f) => (f === null ? "-" : String(Number(f)))).join("");

/** A choice that depends on the sample only. */
const randomOf = (s: Sample, salt: number): (() => number) =>
  randomNumbers(
    s.ins.reduce((h, x) => Array.from(x.data).reduce((k, v) => (Math.imul(k, 31) + Math.round(v * 64)) | 0, h), salt),
  );

// ---------------------------------------------------------------- meaning

/** Reference results have the shapes, dtypes and storage that inference promises, and so does the staged program. */
export function checkInference(g: Generator, s: Sample): void {
  const f = callOf(g, s);
  const arrays = s.ins.map(fromHost);
  const outs = f(arrays);
  const { jaxpr } = traceToJaxpr(
    (...xs) => f(xs),
    arrays.map((x) => x.aval),
    "sweep",
  );
  checkJaxpr(jaxpr);
  if (jaxpr.outs.length !== outs.length) fail(`${outs.length} results, ${jaxpr.outs.length} inferred`);
  outs.forEach((y, i) => {
    const [aval, h] = [jaxpr.outs[i]!.aval, host(y)];
    if (h.dtype !== aval.dtype || h.shape.join() !== aval.shape.join())
      fail(`result ${i} is ${h.dtype}[${h.shape.join()}], inferred ${String(aval)}`);
    if (h.data.length !== aval.size * lanesOf(h.dtype)) fail(`result ${i} holds ${h.data.length} numbers`);
    if (h.data.constructor !== allocate(h.dtype, 0).constructor)
      fail(`result ${i} lies in a ${h.data.constructor.name}`);
  });
}

/** Compiled and eager results are equal to the bit. */
export function checkJit(g: Generator, s: Sample): void {
  const f = callOf(g, s);
  const arrays = s.ins.map(fromHost);
  const eager = f(arrays).map(host);
  const { jaxpr, consts } = traceToJaxpr(
    (...xs) => f(xs),
    arrays.map((x) => x.aval),
    "sweep",
  );
  const program = evaluator().compile(hoistConsts(jaxpr), { name: "sweep", donated: [], device: null });
  const compiled = program.run([...consts, ...arrays]);
  eager.forEach((y, i) => same(`jit, result ${i}`, host(compiled[i]!), y, 0));
}

/** The device that compiles: the default one, or wasm if that is the reference. */
const compiling = (): string => (defaultDevice().kind === "cpu" ? "wasm" : defaultDevice().kind);

/** The compiling device computes what the reference does, primitive by primitive and in one program. */
export function checkDevice(g: Generator, s: Sample): void {
  const f = callOf(g, s);
  const eager = (): HostArray[] => f(s.ins.map(fromHost)).map(host);
  const inProgram = (): HostArray[] => {
    const { jaxpr, consts } = traceToJaxpr(
      (...xs) => f(xs),
      s.ins.map((x) => new Aval(x.shape, x.dtype)),
      "sweep",
    );
    const program = evaluator().compile(hoistConsts(jaxpr), { name: "sweep", donated: [], device: null });
    return program.run([...consts, ...s.ins.map(fromHost)]).map(host);
  };
  const wanted = onDevice("cpu", eager);
  const device = compiling();
  for (const run of [eager, inProgram])
    onDevice(device, run).forEach((y, i) => {
      const how = run === eager ? "eager" : "in a program";
      same(`${device}, ${how}, result ${i}`, y, wanted[i]!, lastPlaces(g, y));
    });
}

/** Mapping equals a loop over examples: any subset of operands, any axes, sizes 3, 1 and 0. */
export function checkVmap(g: Generator, s: Sample): void {
  if (isAbsent(g.primitive.batch) || s.ins.length === 0) return;
  const f = callOf(g, s);
  const next = randomOf(s, 1);
  const allowed = s.ins.map((x, i) => !(g.unbatched ?? []).includes(i));
  const subsets = subsetsOf(s.ins.length, allowed, next);
  subsets.forEach((mask, turn) => {
    for (const size of turn === 0 ? [3, 1, 0] : [3]) vmapAgainstLoop(f, s, mask, size, next);
  });
}

/** Every subset of up to three operands; of more, each alone, all, and two more. */
function subsetsOf(n: number, allowed: readonly boolean[], next: () => number): boolean[][] {
  const all =
    n <= 3
      ? Array.from({ length: 2 ** n - 1 }, (_, k) => allowed.map((_a, i) => ((k + 1) >> i) % 2 === 1))
      : [
          allowed.map(() => true),
          ...allowed.map((_, k) => allowed.map((_a, i) => i === k)),
          ...[1, 2].map(() => allowed.map(() => next() < 0.5)),
        ];
  return all.map((mask) => mask.map((m, i) => m && allowed[i]!)).filter((mask) => mask.includes(true));
}

function vmapAgainstLoop(f: Call, s: Sample, mask: readonly boolean[], size: number, next: () => number): void {
  const examples = Array.from({ length: size }, (_, b) => s.ins.map((x, i) => (mask[i] ? rotated(x, b * (i + 1)) : x)));
  const dims = s.ins.map((x, i) => (mask[i] ? Math.floor(next() * (x.shape.length + 1)) : null));
  const args = s.ins.map((x, i) =>
    fromHost(
      dims[i] === null
        ? x
        : stacked(
            examples.map((e) => e[i]!),
            dims[i]!,
            x,
          ),
    ),
  );
  const { jaxpr } = traceToJaxpr(
    (...xs) => {
      const r = interpreters.batchCall(f, xs, dims, { size, name: null });
      return r.outs;
    },
    args.map((x) => x.aval),
    "sweep",
  );
  checkJaxpr(jaxpr);
  const out = interpreters.batchCall(f, args, dims, { size, name: null });
  const single = f(s.ins.map(fromHost)).map(host);
  const label = `vmap of axes ${show(dims)}, size ${size}`;
  single.forEach((y, k) => {
    const [dim, found] = [out.dims[k]!, host(out.outs[k]!)];
    if (dim === null) return same(`${label}, unmapped result ${k}`, found, y, 0);
    const shape = [...y.shape.slice(0, dim), size, ...y.shape.slice(dim)];
    if (found.dtype !== y.dtype || found.shape.join() !== shape.join())
      fail(`${label}: result ${k} is ${found.dtype}[${found.shape.join()}], expected ${y.dtype}[${shape.join()}]`);
    const tolerance = found.dtype === "float64" ? 1e-12 : found.dtype.endsWith("16") ? 1e-2 : 1e-5;
    examples.forEach((e, b) =>
      same(`${label}, example ${b}`, example(found, dim, b), host(f(e.map(fromHost))[k]!), tolerance),
    );
  });
}

// ---------------------------------------------------------------- calculus

interface Directions {
  readonly nonzero: readonly boolean[];
  /** Directions of the operands marked, host side. */
  readonly hosts: readonly (HostArray | null)[];
  readonly tangents: readonly Tangent[];
}

/** Operands that may be differentiated, a random nonempty choice of them, and directions. */
function directions(g: Generator, s: Sample, salt: number, among?: readonly boolean[]): Directions | null {
  const next = randomOf(s, salt);
  const may = s.ins.map((x, i) => isInexact(x.dtype) && !(g.nonDifferentiable ?? []).includes(i));
  if (!may.includes(true)) return null;
  const chosen = among ?? may.map((m) => m && next() < 0.75);
  const nonzero = chosen.includes(true) ? chosen : may;
  const hosts = s.ins.map((x, i) => (nonzero[i] ? directionLike(x, next) : null));
  const tangents = s.ins.map((x, i): Tangent =>
    hosts[i] ? fromHost(hosts[i]) : new Zero(tangentAval(fromHost(x).aval)),
  );
  return { nonzero, hosts, tangents };
}

const wide = (s: Sample): boolean => s.ins.every((x) => !isInexact(x.dtype) || x.dtype === "float64");
const half = (s: Sample): boolean => s.ins.some((x) => x.dtype === "float16" || x.dtype === "bfloat16");

/** Central differences of a function of host arrays along directions. */
function differences(f: Call, s: Sample, d: Directions, width: number): HostArray[] {
  const at = (sign: number): HostArray[] =>
    f(s.ins.map((x, i) => fromHost(d.hosts[i] ? moved(x, d.hosts[i], sign * width) : x))).map(host);
  const [above, below] = [at(1), at(-1)];
  return above.map((a, i) => quotient(a, below[i]!, 2 * width));
}

/** Tangents of a function at the sample; zeros made explicit. */
function forward(
  f: Call,
  xs: readonly NDArray[],
  tangents: readonly Tangent[],
): { primals: readonly NDArray[]; tangents: readonly NDArray[] } {
  const out = interpreters.jvpCall(f, xs, tangents);
  out.tangents.forEach((t, i) => {
    const wanted = tangentAval(out.primals[i]!.aval);
    const zero = t instanceof Zero;
    if ((zero ? t.aval : t.aval).shape.join() !== wanted.shape.join() || (!zero && t.dtype !== wanted.dtype))
      fail(`the tangent of result ${i} is ${String(t.aval)}, its value ${String(out.primals[i]!.aval)}`);
  });
  return {
    primals: out.primals,
    tangents: out.tangents.map((t) => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t)),
  };
}

const refuses = (run: () => unknown): void => {
  try {
    run();
  } catch (error) {
    if (error instanceof DifferentiationError) return;
    throw error;
  }
};

/** Forward mode against central differences in float64, first and second derivatives. */
export function checkForward(g: Generator, s: Sample): void {
  const d = directions(g, s, 2);
  if (!d) return;
  const f = callOf(g, s);
  const xs = s.ins.map(fromHost);
  if (isAbsent(g.primitive.jvp) || g.modes === "none" || g.modes === "reverse")
    return refuses(() => interpreters.jvpCall(f, xs, d.tangents));
  const eager = f(xs).map(host);
  const out = forward(f, xs, d.tangents);
  eager.forEach((y, i) => same(`jvp, value ${i}`, host(out.primals[i]!), y, 1e-6));
  const staged = traceToJaxpr(
    (...args) => forward(f, args, d.tangents).tangents,
    xs.map((x) => x.aval),
    "sweep",
  );
  checkJaxpr(staged.jaxpr);
  if (!wide(s) || g.smooth === false) return;
  const tolerance = g.tolerance ?? 1e-4;
  const inexact = eager.map((y) => isInexact(y.dtype));
  differences(f, s, d, 1e-5).forEach(
    (q, i) =>
      inexact[i] &&
      same(`first derivative of result ${i}, operands ${show(d.nonzero)}`, host(out.tangents[i]!), q, tolerance),
  );
  const first: Call = (zs) => forward(f, zs, d.tangents).tangents.filter((_, i) => inexact[i]);
  const e = directions(g, s, 3, d.nonzero)!;
  const second = forward(first, xs, e.tangents).tangents;
  differences(first, s, e, 1e-5).forEach((q, i) =>
    same(`second derivative of result ${i}, operands ${show(d.nonzero)}`, host(second[i]!), q, 10 * tolerance),
  );
}

interface Pulled {
  readonly cotangents: readonly (HostArray | null)[];
  readonly outs: readonly HostArray[];
  readonly grads: readonly Tangent[];
}

/** Cotangents pulled back to the operands marked. */
function reverse(
  f: Call,
  xs: readonly NDArray[],
  nonzero: readonly boolean[],
  cotangents: readonly HostArray[] | null,
  next: () => number,
): Pulled & { push: Call } {
  const lin = linearizeCall(f, xs, nonzero, "sweep", interpreters);
  checkJaxpr(lin.linear.jaxpr);
  const outs = lin.primals.map((y) => host(y));
  const cts = outs.map((y, i) => (lin.nonzeroOut[i] ? (cotangents?.[i] ?? directionLike(y, next)) : null));
  const given = cts.filter((t): t is HostArray => t !== null).map(fromHost);
  const { jaxpr, consts } = lin.linear;
  const operands = jaxpr.inVars.map((v) => new LinearOperand(v.aval));
  const pull = (ts: readonly NDArray[]): Tangent[] => backwardPass(jaxpr, consts, operands, ts, interpreters);
  const grads = pull(given);
  const staged = traceToJaxpr(
    (...ts) => pull(ts).map(instantiate),
    given.map((t) => t.aval),
    "sweep",
  );
  checkJaxpr(staged.jaxpr);
  inAvals(jaxpr).forEach((a, i) => {
    const t = grads[i]!;
    if (t.aval.shape.join() !== a.shape.join() || t.aval.dtype !== a.dtype)
      fail(`a cotangent of ${String(t.aval)} for an operand of ${String(a)}`);
  });
  return { cotangents: cts, outs, grads, push: (ts) => evalJaxpr(jaxpr, consts, ts) };
}

const total = (pairs: readonly (readonly [Tangent | HostArray | null, HostArray | null])[]): number =>
  pairs.reduce(
    (sum, [a, b]) => (a === null || b === null || a instanceof Zero ? sum : sum + dot("aval" in a ? host(a) : a, b)),
    0,
  );

const sizeOfAll = (list: readonly HostArray[]): number =>
  Math.max(1, ...list.flatMap((h) => Array.from(h.data, (v) => (Number.isFinite(v) ? Math.abs(v) : 0))));

/** Reverse mode against forward mode (or, where there is none, against differences): ⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩. */
export function checkReverse(g: Generator, s: Sample): void {
  const d = directions(g, s, 4);
  if (!d || isAbsent(g.primitive.jvp)) return;
  const f = callOf(g, s);
  const xs = s.ins.map(fromHost);
  const next = randomOf(s, 5);
  const ts = d.hosts.filter((t): t is HostArray => t !== null);
  if (g.modes === "none") return refuses(() => reverse(f, xs, d.nonzero, null, next));
  if (g.modes === "forward") {
    const lin = linearizeCall(f, xs, d.nonzero, "sweep", interpreters);
    const pushed = evalJaxpr(lin.linear.jaxpr, lin.linear.consts, ts.map(fromHost)).map(host);
    const wanted = forward(f, xs, d.tangents).tangents.filter((_, i) => lin.nonzeroOut[i]);
    pushed.forEach((t, i) => same(`linearize, result ${i}`, t, host(wanted[i]!), 1e-9));
    return;
  }
  const { cotangents, grads, push } = reverse(f, xs, d.nonzero, null, next);
  const smooth = wide(s) && g.smooth !== false;
  const tangents =
    g.modes === "reverse"
      ? differences(f, s, d, 1e-5).filter((_, i) => cotangents[i] !== null)
      : push(ts.map(fromHost)).map(host);
  const given = cotangents.filter((t): t is HostArray => t !== null);
  const left = total(tangents.map((t, i) => [t, given[i]!]));
  const right = total(grads.map((c, i) => [c, ts[i]!]));
  const scale =
    Math.max(1, ts.length) * sizeOfAll([...tangents, ...given]) * Math.max(1, ...tangents.map((t) => t.data.length));
  const tolerance = g.modes === "reverse" ? 1e-4 : wide(s) ? 1e-10 : half(s) ? 2e-2 : 1e-4;
  if (!(Math.abs(left - right) <= tolerance * scale) && !(Number.isNaN(left) && Number.isNaN(right)))
    fail(`reverse against forward mode, operands ${show(d.nonzero)}: ${left} and ${right}`);
  if (smooth) checkReverseTwice(g, s, d, cotangents);
}

/** The derivative of the gradient, by reverse mode over reverse mode, against differences of the gradient. */
function checkReverseTwice(g: Generator, s: Sample, d: Directions, cotangents: readonly (HostArray | null)[]): void {
  const f = callOf(g, s);
  const gradient: Call = (zs) => {
    const lin = linearizeCall(f, zs, d.nonzero, "sweep", interpreters);
    const { jaxpr, consts } = lin.linear;
    const cts = cotangents.filter((_, i) => lin.nonzeroOut[i]).map((t) => fromHost(t!));
    const out = backwardPass(
      jaxpr,
      consts,
      jaxpr.inVars.map((v) => new LinearOperand(v.aval)),
      cts,
      interpreters,
    );
    return out.map(instantiate);
  };
  const next = randomOf(s, 6);
  const e = directions(g, s, 7, d.nonzero)!;
  const { cotangents: us, grads } = reverse(gradient, s.ins.map(fromHost), d.nonzero, null, next);
  const slopes = differences(gradient, s, e, 1e-5);
  const left = total(slopes.map((q, i) => [q, us[i]!]));
  const right = total(grads.map((c, i) => [c, e.hosts.filter((t) => t !== null)[i]!]));
  const scale = sizeOfAll(slopes) * Math.max(1, ...slopes.map((q) => q.data.length));
  if (!(Math.abs(left - right) <= 10 * (g.tolerance ?? 1e-4) * scale))
    fail(`second order in reverse mode, operands ${show(d.nonzero)}: ${right}, by differences ${left}`);
}

// ---------------------------------------------------------------- dead code

/** Each subset of the results, computed after dead-code elimination, equals those of the whole program. */
export function checkDeadCode(g: Generator, s: Sample): void {
  const f = callOf(g, s);
  const arrays = s.ins.map(fromHost);
  const { jaxpr, consts } = traceToJaxpr(
    (...xs) => f(xs),
    arrays.map((x) => x.aval),
    "sweep",
  );
  const whole = evalJaxpr(jaxpr, consts, arrays).map(host);
  const n = Math.min(jaxpr.outs.length, 4);
  for (let k = 0; k < 2 ** n; k++) {
    const used = jaxpr.outs.map((_, i) => (k >> i) % 2 === 1);
    const pruned = interpreters.dceJaxpr(jaxpr, used);
    checkJaxpr(pruned.jaxpr);
    // Inputs reported as unused may hold anything.
    const args = arrays.map((x, i) =>
      pruned.usedInputs[i] || !isInexact(x.dtype) ? x : fromHost({ ...host(x), data: host(x).data.map(() => NaN) }),
    );
    const rest = evalJaxpr(pruned.jaxpr, consts, args).map(host);
    whole
      .filter((_, i) => used[i])
      .forEach((y, i) => same(`without the results ${show(used.map((u) => !u))}`, rest[i]!, y, 1e-12));
  }
}
