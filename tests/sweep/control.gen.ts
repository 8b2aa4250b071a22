/** Samples for `lax/control`: loops, choices and solves around random programs. */
import fc from "fast-check";
import { bind } from "../../src/core/trace.ts";
import { condP } from "../../src/lax/control/cond.ts";
import { customRootP, linearSolveP } from "../../src/lax/control/linearSolve.ts";
import { scanP } from "../../src/lax/control/scan.ts";
import { whileP } from "../../src/lax/control/while.ts";
import * as lax from "../../src/lax/index.ts";
import { type Float, bodies, float, inBoth, jaxprOf, operands, results, shapeLists, smallShapes } from "./bodies.ts";
import { type Aval, type HostArray, allocate } from "./core.ts";
import { type Generator, type Sample, arrays } from "./generator.ts";

const scan = (dtype: Float): fc.Arbitrary<Sample> =>
  fc
    .record({
      consts: shapeLists(2),
      carry: shapeLists(2),
      xs: shapeLists(2),
      ys: shapeLists(2),
      length: fc.integer({ min: 0, max: 3 }),
      reverse: fc.boolean(),
    })
    .filter(({ consts, carry, xs, ys }) => consts.length + carry.length + xs.length > 0 && carry.length + ys.length > 0)
    .chain(({ consts, carry, xs, ys, length, reverse }) =>
      fc
        .tuple(
          operands([...consts, ...carry, ...xs.map((s) => [length, ...s])], dtype),
          bodies(carry.length + ys.length),
        )
        .map(([ins, list]) => {
          const jaxpr = jaxprOf(
            (...args) => results(list, args, [...carry, ...ys]),
            [...consts, ...carry, ...xs].map(float(dtype)),
          );
          const counts = { numConsts: consts.length, numCarry: carry.length };
          return { ins, params: { jaxpr, length, reverse, ...counts, unroll: 1, linear: false } };
        }),
    );

const index = (last: number): fc.Arbitrary<HostArray> =>
  fc.integer({ min: 0, max: last }).map((i) => {
    const data = allocate("int32", 1);
    data[0] = i;
    return { shape: [], dtype: "int32", data };
  });

const cond = (dtype: Float): fc.Arbitrary<Sample> =>
  fc
    .record({ ins: shapeLists(3, 1), outs: shapeLists(2, 1), branches: fc.integer({ min: 1, max: 3 }) })
    .chain(({ ins, outs, branches }) =>
      fc
        .tuple(
          index(branches - 1),
          operands(ins, dtype),
          fc.array(bodies(outs.length), { minLength: branches, maxLength: branches }),
        )
        .map(([i, xs, lists]) => ({
          ins: [i, ...xs],
          params: {
            branches: lists.map((list) => jaxprOf((...args) => results(list, args, outs), ins.map(float(dtype)))),
          },
        })),
    );

/** Carries a counter; how often the loop goes round depends on a captured limit and on the first value. */
const loop = (dtype: Float): fc.Arbitrary<Sample> =>
  fc.record({ consts: shapeLists(2), carry: shapeLists(2, 1) }).chain(({ consts, carry }) =>
    fc.tuple(operands([[], ...consts, ...carry], dtype), bodies(carry.length)).map(([[limit, ...values], list]) => {
      const counter: HostArray = { shape: [], dtype, data: allocate(dtype, 1) };
      const condJaxpr = jaxprOf(
        (bound, i, x) => [lax.lt(i, lax.add(lax.abs(lax.reduceSum(x, [...x.shape.keys()])), lax.add(bound, 1.3333)))],
        [[], [], ...carry].map(float(dtype)),
      );
      const bodyJaxpr = jaxprOf(
        (...args) => {
          const inner = [...args.slice(0, consts.length), ...args.slice(consts.length + 1)];
          return [lax.add(args[consts.length]!, 1), ...results(list, inner, carry).map((y) => lax.tanh(y))];
        },
        [...consts, [], ...carry].map(float(dtype)),
      );
      const ins = [limit!, ...values.slice(0, consts.length), counter, ...values.slice(consts.length)];
      return { ins, params: { condJaxpr, bodyJaxpr, condConsts: 1, bodyConsts: consts.length } };
    }),
  );

type X = Parameters<typeof lax.dot>[0];
const at = (m: X, i: number, j: number) => lax.reshape(lax.slice(m, [i, j], [i + 1, j + 1]), [1]);
const part = (b: X, i: number) => lax.slice(b, [i], [i + 1]);
/** A lower triangular 2 × 2 system with threes added on its diagonal, solved by substitution. */
const linear = (dtype: Float): fc.Arbitrary<Sample> => {
  const vector = [float(dtype)([2, 2]), float(dtype)([2])];
  const fixed = (values: readonly number[]) =>
    lax.reshape(
      lax.concatenate(
        values.map((v) => lax.full([1], v, dtype)),
        0,
      ),
      [2, 2],
    );
  const shifted = (m: X) => lax.add(lax.mul(m, fixed([1, 0, 1, 1])), fixed([3, 0, 0, 3]));
  const matvec = jaxprOf((m, x) => [lax.dot(shifted(m), x)], vector);
  const vecmat = jaxprOf((m, x) => [lax.dot(lax.transpose(shifted(m), [1, 0]), x)], vector);
  const solve = jaxprOf((m, b) => {
    const a = shifted(m);
    const x0 = lax.div(part(b, 0), at(a, 0, 0));
    return [lax.concatenate([x0, lax.div(lax.sub(part(b, 1), lax.mul(at(a, 1, 0), x0)), at(a, 1, 1))], 0)];
  }, vector);
  const transposeSolve = jaxprOf((m, b) => {
    const a = shifted(m);
    const x1 = lax.div(part(b, 1), at(a, 1, 1));
    return [lax.concatenate([lax.div(lax.sub(part(b, 0), lax.mul(at(a, 1, 0), x1)), at(a, 0, 0)), x1], 0)];
  }, vector);
  return fc.tuple(arrays([2, 2], dtype, { min: -1, max: 1 }), arrays([2], dtype)).map((ins) => ({
    ins,
    params: {
      jaxprs: { matvec, vecmat, solve, transposeSolve },
      counts: { matvec: 1, vecmat: 1, solve: 1, transposeSolve: 1 },
    },
  }));
};

/** x³ + x = a, by Newton's method. */
const cubic = (a: X, x: X) => lax.sub(lax.add(lax.integerPow(x, 3), x), a);
const slope = (x: X) => lax.add(lax.mul(lax.square(x), 3), 1);
const root = (dtype: Float): fc.Arbitrary<Sample> =>
  smallShapes.chain((shape) =>
    fc.tuple(arrays(shape, dtype), arrays(shape, dtype)).map((ins) => {
      const [one, two] = [float(dtype)(shape), new Array<Aval>(3).fill(float(dtype)(shape))];
      const newton = jaxprOf(
        (a, x0) => [lax.foriLoop(0, 40, (_, x) => lax.sub(x, lax.div(cubic(a, x), slope(x))), x0)],
        [one, one],
      );
      const f = jaxprOf((a, x) => [cubic(a, x)], [one, one]);
      const linearSolve = jaxprOf((_, x, y) => [lax.div(y, slope(x))], two);
      return { ins, params: { solve: newton, f, linearSolve, numCaptured: 1 } };
    }),
  );

export const generators: readonly Generator[] = [
  { primitive: scanP, ...inBoth(scan) },
  { primitive: condP, ...inBoth(cond) },
  { primitive: whileP, ...inBoth(loop), modes: "forward" },
  {
    primitive: linearSolveP,
    ...inBoth(linear),
    // One matrix in four places: captured by each of the four functions.
    apply: ([m, b], params) => bind(linearSolveP, [m!, m!, m!, m!, b!], params),
  },
  { primitive: customRootP, ...inBoth(root) },
];
