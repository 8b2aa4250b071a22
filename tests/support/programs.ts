/**
 * Random small programs on float64 or float32 arrays, as data: a list of steps, each of which picks earlier values by number. Every
 * value is smooth in the inputs (choices depend on values, but through thresholds that samples do not hit) and stays
 * small. A program can be evaluated in two ways: through the library's control flow and transforms, or plainly, with
 * JavaScript loops and branches and nothing but eager operations.
 */
import fc from "fast-check";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { customJvp } from "../../src/transforms/customJvp.ts";
import { customVjp } from "../../src/transforms/customVjp.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { item } from "./values.ts";

export interface Step {
  readonly op: string;
  /** Operands, counted from the latest value backwards. */
  readonly a: number;
  readonly b: number;
  readonly k: number;
  readonly inner: Program | null;
  readonly other: Program | null;
}
export interface Program {
  readonly steps: readonly Step[];
}

/** What a program may contain besides smooth operations. */
export interface Features {
  readonly structured: readonly string[];
  readonly maxSteps: number;
  readonly depth: number;
}

const smooth: Readonly<Record<string, (a: NDArray, b: NDArray, k: number) => NDArray>> = {
  sin: (a) => lax.sin(a),
  tanh: (a) => lax.tanh(a),
  bell: (a) => lax.exp(lax.neg(lax.square(a))),
  logistic: (a) => lax.logistic(a),
  softplus: (a) => lax.log1p(lax.exp(lax.tanh(a))),
  add: (a, b) => lax.add(a, fit(b, a.shape)),
  sub: (a, b) => lax.sub(a, fit(b, a.shape)),
  mul: (a, b) => lax.mul(lax.sin(a), fit(b, a.shape)),
  div: (a, b) => lax.div(a, lax.add(lax.cos(fit(b, a.shape)), 2)),
  pow: (a, b) => lax.pow(lax.add(lax.square(a), 0.5), lax.tanh(fit(b, a.shape))),
  sum: (a, _, k) => (a.ndim ? lax.reduceSum(a, [k % a.ndim]) : a),
  prod: (a, _, k) => (a.ndim ? lax.reduceProd(lax.tanh(a), [k % a.ndim]) : a),
  cumsum: (a, _, k) => (a.ndim ? lax.cumsum(a, { axis: k % a.ndim, reverse: k % 2 === 0 }) : a),
  flatten: (a) => lax.reshape(a, [a.size]),
  transpose: (a) => lax.transpose(a, [...a.shape.keys()].reverse()),
  repeat: (a, _, k) => lax.broadcast(a, [1 + (k % 2)]),
  slice: (a) =>
    a.ndim && a.shape[0]! > 1
      ? lax.slice(
          a,
          a.shape.map((_, i) => (i === 0 ? 1 : 0)),
          [...a.shape],
        )
      : a,
  pad: (a, b) =>
    a.ndim
      ? lax.pad(
          a,
          fit(b, []),
          a.shape.map((_, i) => (i === 0 ? [1, 0, 0] : [0, 0, 0])),
        )
      : a,
  rev: (a, _, k) => (a.ndim ? lax.rev(a, [k % a.ndim]) : a),
  join: (a, b) => (a.ndim ? lax.concatenate([a, fit(b, a.shape)], a.ndim - 1) : a),
  outer: (a, b) =>
    lax.dotGeneral(flatOf(a), flatOf(b), [
      [[], []],
      [[], []],
    ]),
  dot: (a, b) =>
    a.ndim
      ? lax.dotGeneral(a, lax.sin(fit(b, a.shape)), [
          [[a.ndim - 1], [a.ndim - 1]],
          [[], []],
        ])
      : a,
  matmul: (a, b) => {
    if (a.ndim < 2) return a;
    const m = lax.reshape(a, [a.shape[0]!, a.size / a.shape[0]!]);
    return lax.dot(m, lax.cos(lax.transpose(fit(b, m.shape), [1, 0])));
  },
  select: (a, b) => lax.select(lax.gt(a, threshold), lax.sin(a), fit(b, a.shape)),
  row: (a, b) => (a.ndim ? lax.dynamicIndexInDim(a, whole(b, a.shape[0]!), { axis: 0, keepdims: false }) : a),
  update: (a, b) => (a.ndim ? lax.dynamicUpdateIndexInDim(a, fit(b, a.shape.slice(1)), whole(b, a.shape[0]!), 0) : a),
  logsumexp: (a) => lax.log(lax.reduceSum(lax.exp(lax.tanh(a)), [...a.shape.keys()])),
};

/** Not a multiple of 1/64: samples lie on neither side by chance. */
const threshold = 0.1234567;
const flatOf = (a: NDArray): NDArray => {
  const flat = lax.reshape(a, [a.size]);
  return a.size > 3 ? lax.slice(flat, [0], [3]) : flat;
};
/** An integer from 0 to n − 1 that depends on values. */
const whole = (b: NDArray, n: number): NDArray =>
  lax.rem(lax.convertElementType(lax.abs(lax.mul(fit(b, []), 3.987)), "int32"), n);

/** The array itself, or its mean spread over the shape. */
export function fit(x: NDArray, shape: readonly number[]): NDArray {
  if (x.shape.join() === shape.join()) return x;
  const mean = x.ndim ? lax.div(lax.reduceSum(x, [...x.shape.keys()]), Math.max(1, x.size)) : x;
  return shape.length ? lax.broadcast(mean, shape) : mean;
}

/** Keeps values from growing: sums the first axis away above 12 elements. */
const bounded = (x: NDArray): NDArray => (x.size > 12 ? bounded(lax.tanh(lax.reduceSum(x, [0]))) : x);

type Run = (p: Program, xs: readonly NDArray[]) => NDArray;
/** A call of an inner program as the library does it, and plainly. */
interface Structure {
  readonly library: (step: Step, a: NDArray, b: NDArray, run: Run) => NDArray;
  readonly plain: (step: Step, a: NDArray, b: NDArray, run: Run) => NDArray;
}

const direct = ({ inner }: Step, a: NDArray, b: NDArray, run: Run): NDArray => run(inner!, [a, b]);
const positive = (b: NDArray): NDArray => lax.gt(fit(b, []), threshold);
const steps = (a: NDArray): number => (a.ndim ? a.shape[0]! : 2);
const rowsOf = (a: NDArray): NDArray => (a.ndim ? a : lax.broadcast(a, [2]));
/** The body of loops: the carry keeps its shape. */
const body =
  (p: Program, run: Run) =>
  (carry: NDArray, x: NDArray): [NDArray, NDArray] => {
    const next = fit(run(p, [carry, x]), carry.shape);
    return [lax.tanh(next), lax.sin(next)];
  };

export const structures: Readonly<Record<string, Structure>> = {
  jit: { library: ({ inner }, a, b, run) => jit((x: NDArray, y: NDArray) => run(inner!, [x, y]))(a, b), plain: direct },
  checkpoint: {
    library: ({ inner }, a, b, run) => checkpoint((x: NDArray, y: NDArray) => run(inner!, [x, y]))(a, b),
    plain: direct,
  },
  customJvp: {
    library: ({ inner }, a, b, run) => {
      const f = customJvp((x: NDArray, y: NDArray) => run(inner!, [x, y]));
      f.defjvp((xs: [NDArray, NDArray], ts: [NDArray, NDArray]) =>
        jvp((x: NDArray, y: NDArray) => run(inner!, [x, y]), xs, ts),
      );
      return f(a, b);
    },
    plain: direct,
  },
  customVjp: {
    library: ({ inner }, a, b, run) => {
      const g = (x: NDArray, y: NDArray): NDArray => run(inner!, [x, y]);
      const f = customVjp(g);
      f.defvjp(
        (x: NDArray, y: NDArray) => [g(x, y), [x, y]],
        ([x, y]: [NDArray, NDArray], ct: NDArray) => vjp(g, x, y)[1](ct),
      );
      return f(a, b);
    },
    plain: direct,
  },
  cond: {
    library: ({ inner, other }, a, b, run) =>
      lax.cond(
        positive(b),
        (x: NDArray, y: NDArray) => fit(run(inner!, [x, y]), [2]),
        (x: NDArray, y: NDArray) => fit(run(other!, [x, y]), [2]),
        a,
        b,
      ),
    plain: ({ inner, other }, a, b, run) => fit(run(item(positive(b)) ? inner! : other!, [a, b]), [2]),
  },
  scan: {
    library: ({ inner, k }, a, b, run) => {
      const [c, ys] = lax.scan(body(inner!, run), b, rowsOf(a), { reverse: k % 2 === 1 });
      return lax.add(fit(c, ys.shape), ys);
    },
    plain: ({ inner, k }, a, b, run) => {
      const rows = rowsOf(a);
      const n = steps(rows);
      const ys: NDArray[] = [];
      let carry = b;
      for (let i = 0; i < n; i++) {
        const at = k % 2 === 1 ? n - 1 - i : i;
        const [next, y] = body(inner!, run)(carry, lax.indexInDim(rows, at, { axis: 0, keepdims: false }));
        carry = next;
        ys[at] = y;
      }
      const all = lax.stack(ys, 0);
      return lax.add(fit(carry, all.shape), all);
    },
  },
  fori: {
    library: ({ inner }, a, b, run) => lax.foriLoop(0, 2, (_, c: NDArray) => body(inner!, run)(c, b)[0], a),
    plain: ({ inner }, a, b, run) => body(inner!, run)(body(inner!, run)(a, b)[0], b)[0],
  },
  vmap: {
    library: ({ inner }, a, b, run) =>
      vmap((x: NDArray, y: NDArray) => run(inner!, [x, y]), { inAxes: [0, null] })(rowsOf(a), b),
    plain: ({ inner }, a, b, run) => {
      const rows = rowsOf(a);
      return lax.stack(
        Array.from({ length: steps(rows) }, (_, i) =>
          run(inner!, [lax.indexInDim(rows, i, { axis: 0, keepdims: false }), b]),
        ),
        0,
      );
    },
  },
  while: {
    library: ({ inner }, a, b, run) =>
      lax.whileLoop(
        ([i, c]: [NDArray, NDArray]) =>
          lax.lt(lax.convertElementType(i, c.dtype), lax.add(fit(lax.square(c), []), 1.5)),
        ([i, c]: [NDArray, NDArray]) => [lax.add(i, 1), body(inner!, run)(c, b)[0]],
        [lax.iota("int32", 1), a].map((x, i) => (i === 0 ? lax.reshape(x, []) : x)) as [NDArray, NDArray],
      )[1],
    plain: ({ inner }, a, b, run) => {
      let c = a;
      for (let i = 0; i < item(fit(lax.square(c), [])) + 1.5; i++) c = body(inner!, run)(c, b)[0];
      return c;
    },
  },
};

/** Structures that both modes of differentiation go through, that only forward mode does, and only reverse mode. */
export const bothModes = ["jit", "checkpoint", "customJvp", "cond", "scan", "fori", "vmap"] as const;

/** Evaluates a program; the result is its last value. */
export function run(p: Program, xs: readonly NDArray[], how: "library" | "plain" = "library"): NDArray {
  const values = [...xs];
  const inner: Run = (q, ys) => run(q, ys, how);
  for (const step of p.steps) {
    const pick = (i: number): NDArray => values[values.length - 1 - (i % values.length)]!;
    const [a, b] = [pick(step.a), pick(step.b)];
    const f = smooth[step.op];
    values.push(bounded(f ? f(a, b, step.k) : structures[step.op]![how](step, a, b, inner)));
  }
  return values[values.length - 1]!;
}

/** Programs of up to `maxSteps` steps, some of them structures around smaller programs. */
export function programs({ structured, maxSteps, depth }: Features): fc.Arbitrary<Program> {
  const op = fc.constantFrom(...Object.keys(smooth));
  const simple: fc.Arbitrary<Step> = fc.record({
    op,
    a: fc.nat(2),
    b: fc.nat(3),
    k: fc.nat(3),
    inner: fc.constant(null),
    other: fc.constant(null),
  });
  const inner = depth > 0 ? programs({ structured, maxSteps: Math.max(1, maxSteps - 2), depth: depth - 1 }) : null;
  const step =
    inner && structured.length > 0
      ? fc.oneof(
          { weight: 3, arbitrary: simple },
          {
            weight: 2,
            arbitrary: fc.record<Step>({
              op: fc.constantFrom(...structured),
              a: fc.nat(2),
              b: fc.nat(3),
              k: fc.nat(3),
              inner,
              other: inner,
            }),
          },
        )
      : simple;
  return fc.array(step, { minLength: 1, maxLength: maxSteps }).map((list) => ({ steps: list }));
}

/** A program as text, for messages. */
export const show = (p: Program): string =>
  p.steps
    .map((s) => `${s.op}(${s.a},${s.b},${s.k}${s.inner ? ` {${show(s.inner)}}{${show(s.other!)}}` : ""})`)
    .join("; ");
