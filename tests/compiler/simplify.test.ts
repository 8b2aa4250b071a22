import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simplify } from "../../src/compiler/simplify.ts";
import { type DType, allDTypes, isInexact, isInteger, isKey, isUnsigned } from "../../src/core/dtype.ts";
import { checkJaxpr, evalJaxpr } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import type { AnyPrimitive, Params } from "../../src/core/primitive.ts";
import { printJaxpr } from "../../src/core/printJaxpr.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { bind } from "../../src/core/trace.ts";
import { debugCallback } from "../../src/lax/callback.ts";
import * as lax from "../../src/lax/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { stopGradient } from "../../src/transforms/scopes.ts";
import { holds } from "../properties.ts";
import { array, distanceOf, f32, f64, fromHost, host, i32, item, list } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";
import { bothModes, programs, run, show } from "../support/programs.ts";
import { sameBits, specialsOf } from "../support/scalarTrees.ts";
import { arrays } from "../sweep/generator.ts";
import { primitives } from "../sweep/registry.ts";

/** The names of a simplified function's operations. */
const names = (f: (...xs: NDArray[]) => unknown, ...args: NDArray[]): string[] =>
  simplify(makeJaxpr(f)(...args).jaxpr).jaxpr.eqns.map((e) => e.primitive.name);

const x = f32([1, 2]);

describe("random programs", () => {
  const program = programs({ structured: [...bothModes, "customVjp", "while"], maxSteps: 5, depth: 1 });
  test("mean the same, and are well formed", () =>
    holds(
      60,
      [
        program.map((p) => Object.assign(p, { toString: () => show(p) })),
        arrays([2, 3], "float64"),
        arrays([], "float64"),
      ],
      (p, a, b) => {
        const args = [fromHost(a), fromHost(b)];
        const { jaxpr, consts } = traceToJaxpr(
          (...xs) => [run(p, xs)],
          args.map((v) => v.aval),
          "test",
        );
        const { jaxpr: simple, captured } = simplify(jaxpr);
        checkJaxpr(simple);
        const [wanted] = evalJaxpr(jaxpr, consts, args);
        const [found] = evalJaxpr(simple, [], [...captured, ...consts, ...args]);
        expect(distanceOf(found!, wanted!, 1e-14)).toBe(null);
        // Once is enough.
        const again = simplify(simple);
        expect(again.jaxpr.eqns.length).toBe(simple.eqns.length);
        expect(again.captured).toEqual([]);
      },
    ));
  test("so do their gradients", () =>
    holds(25, [programs({ structured: bothModes, maxSteps: 4, depth: 1 }), arrays([3], "float64")], (p, a) => {
      const f = (v: NDArray): NDArray => {
        const y = run(p, [v]);
        return y.ndim ? lax.reduceSum(y, [...y.shape.keys()]) : y;
      };
      const arg = fromHost(a);
      const { jaxpr, consts } = traceToJaxpr((v) => [grad(f)(v)], [arg.aval], "test");
      const { jaxpr: simple, captured } = simplify(jaxpr);
      checkJaxpr(simple);
      const [wanted] = evalJaxpr(jaxpr, consts, [arg]);
      const [found] = evalJaxpr(simple, [], [...captured, ...consts, arg]);
      expect(distanceOf(found!, wanted!, 1e-12)).toBe(null);
    }));
});

/** Values of a dtype that rules go wrong at; complex numbers have every special part next to every other. */
function specialsIn(dtype: DType): NDArray {
  if (dtype === "complex64") {
    const parts = specialsOf("f32").filter((v) => !(Math.abs(v) > 2 && Math.abs(v) < 1e30));
    return array(parts.flatMap((re) => parts.map((im) => [re, im])), dtype); // prettier-ignore
  }
  const storage = { bool: "u8", int8: "i8", int16: "i16", int32: "i32", uint8: "u8", uint16: "u16", uint32: "u32" };
  const known = (storage as Partial<Record<DType, Parameters<typeof specialsOf>[0]>>)[dtype];
  const all = specialsOf(known ?? (dtype === "float64" ? "f64" : "f32"));
  return array(dtype === "bool" ? [0, 1, 1] : [...all], dtype);
}

/** Evaluates a function's program as traced and simplified, by the reference: equal to the bit. Gives what is left. */
function expectSameBits(f: (...xs: NDArray[]) => NDArray, args: readonly NDArray[], what: string): string[] {
  const { jaxpr, consts } = traceToJaxpr(
    (...xs) => [f(...xs)],
    args.map((v) => v.aval),
    "test",
  );
  const { jaxpr: simple, captured } = simplify(jaxpr);
  checkJaxpr(simple);
  onDevice("cpu", () => {
    const ins = args.map((a) => fromHost(host(a)));
    const wanted = host(evalJaxpr(jaxpr, consts, ins)[0]!);
    const found = host(evalJaxpr(simple, [], [...captured, ...consts, ...ins])[0]!);
    expect([found.dtype, found.shape], what).toEqual([wanted.dtype, wanted.shape]);
    const i = wanted.data.findIndex((v, k) => !sameBits(v, found.data[k]!));
    if (i >= 0) expect.fail(`${what}: number ${i} is ${wanted.data[i]}, simplified ${found.data[i]}: ${printJaxpr(jaxpr)} became ${printJaxpr(simple)}`); // prettier-ignore
  });
  return simple.eqns.map((e) => e.primitive.name);
}

describe("identities of primitives, to the bit", () => {
  const plainTypes = allDTypes.filter((d) => !isKey(d));
  const numeric = plainTypes.filter((d) => isInteger(d) || isInexact(d));
  const primitive = (name: string): AnyPrimitive => primitives.find((p) => p.name === name)!;
  const on =
    (name: string, params: (y: NDArray) => Params, others: (y: NDArray) => readonly NDArray[] = () => []) =>
    (y: NDArray): NDArray =>
      bind(primitive(name), [y, ...others(y)], params(y))[0]!;
  const literal = (n: number) => (y: NDArray) => lax.convertElementType(n, y.dtype);
  interface Rule {
    readonly dtypes: readonly DType[];
    /** Applications that are their operand, for some or all of the dtypes, and others that nearly are. */
    readonly same: readonly ((y: NDArray) => NDArray)[];
    readonly others?: readonly ((y: NDArray) => NDArray)[];
    /** Dtypes for which `same` does not hold. */
    readonly except?: readonly DType[];
  }
  const rules: Readonly<Record<string, Rule>> = {
    sub: {
      dtypes: numeric,
      same: [(y) => lax.sub(y, literal(0)(y))],
      others: [(y) => lax.sub(y, literal(-0)(y)), (y) => lax.sub(literal(0)(y), y), (y) => lax.sub(y, y)],
    },
    mul: {
      dtypes: numeric,
      same: [(y) => lax.mul(y, literal(1)(y)), (y) => lax.mul(literal(1)(y), y)],
      others: [(y) => lax.mul(y, literal(0)(y)), (y) => lax.mul(y, literal(2)(y)), (y) => lax.mul(lax.neg(y), literal(1)(y))], // prettier-ignore
      // (a + bi)(1 + 0i) = (a − 0b) + (0a + b)i: NaN for infinite parts, and 0 for some that are −0.
      except: ["complex64"],
    },
    div: {
      dtypes: numeric,
      same: [(y) => lax.div(y, literal(1)(y))],
      others: [(y) => lax.div(literal(1)(y), y), (y) => lax.div(y, literal(0)(y)), (y) => lax.div(y, y)],
      except: ["complex64"],
    },
    select_n: {
      dtypes: plainTypes,
      same: [
        (y) => lax.select(lax.eq(y, y), y, y),
        (y) => lax.selectN(lax.convertElementType(lax.ne(y, y), "int32"), y, y, y),
      ],
      others: [
        (y) => lax.select(lax.eq(y, y), y, lax.rev(y, [0])),
        (y) => lax.select(lax.ne(y, y), lax.rev(y, [0]), y),
        (y) => lax.selectN(lax.add(lax.convertElementType(lax.ne(y, y), "int32"), 2), y, y, lax.rev(y, [0])),
      ],
    },
    broadcast_in_dim: {
      dtypes: plainTypes,
      same: [on("broadcast_in_dim", (y) => ({ shape: y.shape, broadcastDimensions: [0] }))],
      others: [(y) => lax.broadcast(y, [1]), (y) => lax.broadcastInDim(y, [y.size, 2], [0])],
    },
    reshape: {
      dtypes: plainTypes,
      same: [on("reshape", (y) => ({ shape: y.shape }))],
      others: [(y) => lax.reshape(y, [y.size, 1])],
    },
    transpose: {
      dtypes: plainTypes,
      same: [on("transpose", () => ({ permutation: [0] }))],
      others: [(y) => lax.transpose(lax.broadcast(y, [y.size]), [1, 0])],
    },
    convert_element_type: {
      dtypes: plainTypes,
      same: [on("convert_element_type", (y) => ({ dtype: y.dtype, weakType: y.weakType }))],
      others: plainTypes.map((to) => (y) => lax.convertElementType(lax.convertElementType(y, to), y.dtype)),
    },
    stop_gradient: { dtypes: plainTypes, same: [stopGradient] },
    name: { dtypes: plainTypes, same: [on("name", () => ({ name: "n" }))] },
    slice: {
      dtypes: plainTypes,
      same: [on("slice", (y) => ({ startIndices: [0], limitIndices: [y.size], strides: null }))],
      others: [(y) => lax.slice(y, [1], [y.size]), (y) => lax.slice(y, [0], [y.size], [2])],
    },
    pad: {
      dtypes: plainTypes,
      same: [
        on(
          "pad",
          () => ({ paddingConfig: [[0, 0, 0]] }),
          (y) => [literal(0)(y)],
        ),
      ],
      others: [(y) => lax.pad(y, literal(1)(y), [[-1, 1, 0]]), (y) => lax.pad(y, literal(0)(y), [[0, 0, 1]])],
    },
    rev: {
      dtypes: plainTypes,
      same: [(y) => lax.reshape(bind(primitive("rev"), [lax.reshape(y, [1, y.size])], { dimensions: [0] })[0]!, y.shape)], // prettier-ignore
      others: [(y) => lax.rev(y, [0])],
    },
    concatenate: {
      dtypes: plainTypes,
      same: [on("concatenate", () => ({ dimension: 0 }))],
      others: [(y) => lax.concatenate([y, y], 0)],
    },
  };

  test("every primitive that has one is here", () => {
    const having = primitives.filter((p) => p.simplify).map((p) => p.name);
    expect(Object.keys(rules).sort()).toEqual(having.sort());
  });
  test.each(Object.entries(rules))("%s", (name, { dtypes, same, others = [], except = [] }) => {
    for (const dtype of dtypes) {
      const values = specialsIn(dtype);
      for (const f of same) {
        const left = expectSameBits(f, [values], `${name} of ${dtype}`);
        expect(left.includes(name), `${name} of ${dtype} is left`).toBe(except.includes(dtype));
      }
      for (const f of others) expectSameBits(f, [values], `nearly ${name} of ${dtype}`);
    }
  });
});

describe("random programs with literals, to the bit", () => {
  type Op = (y: NDArray, z: NDArray, n: number) => NDArray;
  const product = jit((y: NDArray, z: NDArray) => lax.mul(lax.mul(y, 1), z));
  const wholes: readonly Op[] = [
    (y, z) => lax.bitwiseAnd(y, z),
    (y, z) => lax.bitwiseOr(y, z),
    (y, z) => lax.bitwiseXor(y, z),
    (y) => lax.bitwiseNot(y),
    (y, _, n) => lax.shiftLeft(y, like(y, n & 7)),
    (y, _, n) => lax.shiftRightArithmetic(y, like(y, n & 7)),
    (y, z) => lax.rem(y, z),
  ];
  const reals: readonly Op[] = [
    (y, z) => lax.pow(y, z),
    (y, z) => lax.rem(y, z),
    (y, z) => lax.atan2(y, z),
    (y) => lax.sqrt(y),
    (y) => lax.floor(y),
    (y) => lax.exp(y),
    (y, _, n) => lax.integerPow(y, n - 1),
  ];
  const ordered: readonly Op[] = [
    (y, z) => lax.max(y, z),
    (y, z) => lax.min(y, z),
    (y, z, n) => lax.clamp(like(y, n === 0 ? 1 : 0), y, z),
    (y) => (isUnsigned(y.dtype) ? y : lax.abs(y)),
    (y) => (isUnsigned(y.dtype) ? y : lax.sign(y)),
    (y, z) => lax.select(lax.lt(y, z), y, z),
    (y, z) => lax.convertElementType(lax.ge(y, z), y.dtype),
  ];
  const every: readonly Op[] = [
    (y, z) => lax.add(y, z),
    (y, z) => lax.sub(y, z),
    (y, z) => lax.mul(y, z),
    (y, z) => lax.div(y, z),
    (y) => lax.add(y, y),
    (y) => lax.sub(y, y),
    (y) => lax.div(y, y),
    (y) => lax.neg(y),
    (y, z) => lax.select(lax.eq(y, z), y, z),
    (y, z) => lax.select(lax.ne(y, z), z, z),
    (y) => stopGradient(y),
    (y) => lax.reshape(lax.reshape(y, [y.size, 1]), y.shape),
    (y) => (y.ndim ? lax.rev(y, [0]) : y),
    (y, z) => (y.ndim ? lax.slice(lax.concatenate([sized(z, y), y], 0), [1], [1 + y.size]) : y),
    (y) => (y.ndim ? lax.pad(y, like(y, 0), [[-1, 1, 0]]) : y),
    (y) => (y.ndim ? lax.cumsum(y) : y),
    (y) => lax.integerPow(y, 2),
    (y, z) => product(y, z),
    (y, z) => product(product(y, like(y, 1)), z),
  ];
  const like = (y: NDArray, n: number): NDArray => lax.convertElementType(n, y.dtype);
  const sized = (y: NDArray, of: NDArray): NDArray =>
    y.shape.join() === of.shape.join()
      ? y
      : y.ndim
        ? lax.reshape(lax.slice(y, [0], [1]), [])
        : lax.broadcast(y, of.shape);
  const literals = (dtype: DType): readonly number[] =>
    isInexact(dtype) ? [0, -0, 1, -1, 2, 0.5, NaN, Infinity, -Infinity] : dtype.startsWith("u") ? [0, 1, 2, 7] : [0, 1, -1, 2]; // prettier-ignore

  const dtypes: readonly DType[] = ["float32", "float64", "float16", "bfloat16", "complex64", "int8", "int32", "uint8", "uint32"]; // prettier-ignore
  test.each(dtypes)("%s", (dtype) => {
    const ops = dtype === "complex64" ? every : [...every, ...ordered, ...(isInteger(dtype) ? wholes : reals)];
    const all = [...host(specialsIn(dtype)).data];
    const value = fc.constantFrom(...all);
    const lanes = dtype === "complex64" ? 2 : 1;
    const step = fc.record({
      op: fc.nat(ops.length - 1),
      a: fc.nat(3),
      b: fc.nat(3),
      n: fc.nat(4),
      // Every other operand is a literal, on either side.
      literal: fc.constantFrom(...literals(dtype)),
      side: fc.constantFrom("left", "right", "neither", "neither"),
    });
    const numbers = (n: number) => fc.array(value, { minLength: n * lanes, maxLength: n * lanes });
    holds(
      150,
      [fc.array(step, { minLength: 1, maxLength: 6 }), numbers(8), numbers(8), numbers(1)],
      (steps, u, v, w) => {
        const pairs = (xs: readonly number[]) =>
          lanes === 1 ? [...xs] : Array.from({ length: xs.length / 2 }, (_, i) => [xs[2 * i]!, xs[2 * i + 1]!]);
        const f = (...xs: NDArray[]): NDArray => {
          const values = [...xs];
          for (const { op, a, b, n, literal, side } of steps) {
            const pick = (i: number): NDArray => values[values.length - 1 - (i % values.length)]!;
            const [y, z] = [side === "left" ? like(pick(a), literal) : pick(a), side === "right" ? like(pick(b), literal) : pick(b)]; // prettier-ignore
            // Scalars that are literals stay so; others are brought to one shape.
            const fitted = side === "neither" ? sized(z, y) : z;
            values.push(ops[op]!(y, fitted, n));
          }
          return lax.add(lax.neg(values.at(-1)!), like(values.at(-1)!, 0));
        };
        expectSameBits(f, [array(pairs(u), dtype), array(pairs(v), dtype), lanes === 1 ? array(w[0]!, dtype) : lax.reshape(array(pairs(w), dtype), [])], JSON.stringify(steps)); // prettier-ignore
      },
    );
  });
});

describe("rules", () => {
  test("identities go", () => {
    expect(names((v) => lax.reshape(lax.reshape(v, [2, 1]), [2, 1]), x)).toEqual(["reshape"]);
    expect(names((v) => lax.transpose(v, [0]), x)).toEqual([]);
    expect(names((v) => stopGradient(lax.sin(v)), x)).toEqual(["sin"]);
    expect(names((v) => lax.broadcastInDim(v, [2], [0]), x)).toEqual([]);
    expect(names((v) => lax.convertElementType(v, "float32"), x)).toEqual([]);
  });
  test("calls are inlined, also when called twice", () => {
    const f = jit((v: NDArray) => lax.sin(lax.mul(v, 2)));
    expect(names((v) => f(v), x)).toEqual(["mul", "sin"]);
    expect(names((v) => f(f(v)), x)).toEqual(["mul", "sin", "mul", "sin"]);
    const g = jit((v: NDArray) => lax.add(f(v), f(lax.neg(v))));
    expect(item(g(f64(0.3)))).toBe(0);
    const args = f64([0.1, 0.2]);
    const { jaxpr } = makeJaxpr((v: NDArray) => [f(f(v)), f(v)])(args);
    const out = evalJaxpr(simplify(jaxpr).jaxpr, [], [args]);
    expect(out.map(list)).toEqual([f(f(args)), f(args)].map(list));
  });
  test("equal operations are computed once, whatever their order of mention", () => {
    expect(names((v) => lax.add(lax.sin(v), lax.sin(v)), x)).toEqual(["sin", "add"]);
    expect(names((v) => lax.add(lax.reduceSum(v, [0]), lax.reduceSum(v, [0])), x)).toEqual(["reduce_sum", "add"]);
    expect(names((v) => lax.sub(lax.cumsum(v, { reverse: true }), lax.cumsum(v)), x)).toEqual([
      "cumsum",
      "cumsum",
      "sub",
    ]);
  });
  test("operations that differ in parameters, literals or the sign of zero are kept apart", () => {
    expect(names((v) => lax.add(lax.mul(v, 0), lax.mul(v, -0)), x)).toEqual(["mul", "mul", "add"]);
    expect(names((v) => lax.add(lax.integerPow(v, 2), lax.integerPow(v, 3)), x)).toEqual([
      "integer_pow",
      "integer_pow",
      "add",
    ]);
    const f = jit((v: NDArray) => [lax.div(v, lax.mul(f64(1), 0)), lax.div(v, -0)]);
    expect(f(f64(1)).map(item)).toEqual([Infinity, -Infinity]);
  });
  test("operations nobody needs go", () => {
    expect(names((v) => (lax.sin(v), lax.cos(v)), x)).toEqual(["cos"]);
    expect(names((v) => (lax.scan((c: NDArray, _: null) => [c, null], v, null, 3), v), x)).toEqual([]);
  });
  test("effects stay, in order, equal ones too", () => {
    const f = (v: NDArray): NDArray => {
      debugCallback(() => undefined, v);
      debugCallback(() => undefined, v);
      lax.ioCallback(() => undefined, null, lax.neg(v));
      return v;
    };
    expect(names(f as never, x)).toEqual(["callback", "callback", "neg", "callback"]);
    expect(names((v) => jit(f)(v), x)).toEqual(["callback", "callback", "neg", "callback"]);
    expect(names((v) => (lax.scan((c: NDArray, _: null) => (f(c), [c, null]), v, null, 3), v), x)).toEqual(["scan"]);
  });
  test("barriers and recomputation are not merged away", () => {
    expect(names((v) => lax.add(lax.optimizationBarrier(v), lax.sin(v)), x)).toEqual([
      "optimization_barrier",
      "sin",
      "add",
    ]);
  });
  test("the results may be inputs, literals or the same value twice", () => {
    const { jaxpr } = simplify(
      makeJaxpr((v: NDArray) => [v, v, lax.convertElementType(1, "float32"), lax.reshape(v, [2])])(x).jaxpr,
    );
    expect(printJaxpr(jaxpr)).toBe("{ lambda ; a:f32[2]. let in (a, a, 1.0:f32[], a) }");
    const f = jit((v: NDArray) => [v, 2, lax.mul(v, 0)] as const);
    expect(f(x).map(list)).toEqual([[1, 2], 2, [0, 0]]); // prettier-ignore
  });
});

describe("programs at the edges", () => {
  test("empty arrays, scalars, every dtype", () => {
    for (const dtype of [
      "bool",
      "int8",
      "uint8",
      "int16",
      "uint16",
      "int32",
      "uint32",
      "float16",
      "bfloat16",
      "float32",
      "float64",
      "complex64",
    ] as const) {
      const v = array(dtype === "complex64" ? [[1, 0], [0, 1]] : [1, 0], dtype); // prettier-ignore
      expect(list(jit((u: NDArray) => lax.rev(u, [0]))(v))).toEqual([...(list(v) as unknown[])].reverse());
    }
    expect(jit((u: NDArray) => lax.sin(u))(f32([])).shape).toEqual([0]);
  });
  test("a program run again gives the same", () =>
    holds(20, [fc.integer({ min: -5, max: 5 })], (n) => {
      const f = jit((u: NDArray) => lax.foriLoop(0, 3, (i, c: NDArray) => lax.add(c, i), u));
      expect([item(f(i32(n))), item(f(i32(n)))]).toEqual([n + 3, n + 3]);
    }));
});
