/** Index arithmetic: the canonical form has the value of what it was made of, within the range it claims. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Index,
  type IndexVar,
  add,
  addConstant,
  constantIndex,
  evaluateIndex,
  factorOf,
  flatIndex,
  floorDiv,
  indexVar,
  isConstantIndex,
  mentions,
  modulo,
  printIndex,
  scale,
  substitute,
  subtract,
  unflatten,
  valueIndex,
  varIndex,
  zeroIndex,
} from "../../src/core/indexing.ts";
import { load, newBuffer } from "../../src/core/scalar.ts";
import { sizeOf, stridesOf } from "../../src/core/shape.ts";
import { holds } from "../properties.ts";

const variables = [1, 2, 3, 4, 5, 8, 16, 30, 64].map((n, i) => indexVar(`v${i}`, n));
/** Two run-time values, the second one of either sign. */
const loads = newBuffer("loads", "i32", 2);
const values = [
  { expr: load(loads, constantIndex(0)), min: 0, max: 9 },
  { expr: load(loads, constantIndex(1)), min: -7, max: 12 },
];

/** What an index is made of, to be computed without any canonical form. */
type Recipe =
  | { readonly kind: "var" | "value" | "constant"; readonly n: number }
  | { readonly kind: "add" | "subtract"; readonly x: Recipe; readonly y: Recipe }
  | { readonly kind: "scale" | "div" | "mod"; readonly x: Recipe; readonly n: number };

const recipes: fc.Arbitrary<Recipe> = fc.letrec<{ recipe: Recipe }>((tie) => ({
  recipe: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.record({ kind: fc.constant("var" as const), n: fc.nat(variables.length - 1) }),
    fc.record({ kind: fc.constant("value" as const), n: fc.nat(values.length - 1) }),
    fc.record({ kind: fc.constant("constant" as const), n: fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer()) }),
    fc.record({ kind: fc.constantFrom("add" as const, "subtract" as const), x: tie("recipe"), y: tie("recipe") }),
    fc.record({ kind: fc.constant("scale" as const), x: tie("recipe"), n: fc.integer({ min: -12, max: 12 }) }),
    fc.record({
      kind: fc.constantFrom("div" as const, "mod" as const),
      x: tie("recipe"),
      n: fc.integer({ min: 1, max: 24 }),
    }),
    fc.record({
      kind: fc.constantFrom("div" as const, "mod" as const),
      x: tie("recipe"),
      n: fc.constantFrom(2, 4, 8, 16, 64, 1024),
    }),
  ),
})).recipe;

function build(r: Recipe): Index {
  switch (r.kind) {
    case "var":
      return varIndex(variables[r.n]!);
    case "value":
      return valueIndex(values[r.n]!.expr, values[r.n]!.min, values[r.n]!.max);
    case "constant":
      return constantIndex(r.n);
    case "add":
      return add(build(r.x), build(r.y));
    case "subtract":
      return subtract(build(r.x), build(r.y));
    case "scale":
      return scale(build(r.x), r.n);
    case "div":
      return floorDiv(build(r.x), r.n);
    case "mod":
      return modulo(build(r.x), r.n);
  }
}
interface Point {
  readonly variables: readonly number[];
  readonly values: readonly number[];
}
/** The meaning, in whole numbers of any size. */
function compute(r: Recipe, at: Point): bigint {
  switch (r.kind) {
    case "var":
      return BigInt(at.variables[r.n]!);
    case "value":
      return BigInt(at.values[r.n]!);
    case "constant":
      return BigInt(r.n);
    case "add":
      return compute(r.x, at) + compute(r.y, at);
    case "subtract":
      return compute(r.x, at) - compute(r.y, at);
    case "scale":
      return compute(r.x, at) * BigInt(r.n);
    default: {
      const [x, by] = [compute(r.x, at), BigInt(r.n)];
      const rest = ((x % by) + by) % by;
      return r.kind === "mod" ? rest : (x - rest) / by;
    }
  }
}
const points: fc.Arbitrary<Point> = fc.record({
  variables: fc.tuple(...variables.map((v) => fc.oneof(fc.constantFrom(0, v.extent - 1), fc.nat(v.extent - 1)))),
  values: fc.tuple(...values.map((v) => fc.oneof(fc.constantFrom(v.min, v.max), fc.integer(v)))),
});
const withVariable = (at: Point, n: number, value: number): Point => ({
  ...at,
  variables: at.variables.map((v, i) => (i === n ? value : v)),
});
const evaluate = (x: Index, at: Point): number =>
  evaluateIndex(x, (a) =>
    a.kind === "var" ? at.variables[variables.indexOf(a)]! : at.values[values.findIndex((v) => v.expr === a.expr)]!,
  );

describe("random indices", () => {
  it("have the value of their recipe, within their range", () => {
    holds(3000, [recipes, fc.array(points, { minLength: 4, maxLength: 4 })], (recipe, at) => {
      const x = build(recipe);
      // Beyond 2^53 numbers are not whole any more.
      fc.pre(Math.abs(x.min) < 2 ** 50 && Math.abs(x.max) < 2 ** 50);
      for (const p of at) {
        const value = evaluate(x, p);
        expect(value, printIndex(x)).toBe(Number(compute(recipe, p)));
        expect(value).toBeGreaterThanOrEqual(x.min);
        expect(value).toBeLessThanOrEqual(x.max);
      }
    });
  });

  it("are one constant where nothing varies", () => {
    holds(500, [recipes], (recipe) => {
      const x = build(recipe);
      if (x.min === x.max && isConstantIndex(x)) expect(x.key).toBe(constantIndex(x.min).key);
    });
  });

  it("have equal keys in either order of addition", () => {
    holds(1000, [recipes, recipes], (r, s) => {
      const [x, y] = [build(r), build(s)];
      expect(add(x, y).key).toBe(add(y, x).key);
      expect(subtract(add(x, y), y).key).toBe(x.key);
      expect(subtract(x, x).key).toBe(zeroIndex.key);
    });
  });

  it("can be substituted in", () => {
    holds(1500, [recipes, recipes, fc.nat(variables.length - 1), points], (recipe, by, n, at) => {
      const v = variables[n]!;
      const small = modulo(build(by), v.extent);
      const x = build(recipe);
      fc.pre(Math.abs(x.min) < 2 ** 50 && Math.abs(x.max) < 2 ** 50);
      const replaced = substitute(x, (a) => (a === v ? small : null));
      expect(evaluate(replaced, at)).toBe(evaluate(x, withVariable(at, n, evaluate(small, at))));
      if (!mentions(x, v)) expect(replaced).toBe(x);
    });
  });

  it("grow by their factor", () => {
    holds(1000, [recipes, fc.nat(variables.length - 1), points], (recipe, n, at) => {
      const v = variables[n]!;
      const x = build(recipe);
      const factor = factorOf(x, v);
      fc.pre(Math.abs(x.min) < 2 ** 50 && Math.abs(x.max) < 2 ** 50 && factor !== null && v.extent > 1);
      const [first, second] = [0, 1].map((k) => evaluate(x, withVariable(at, n, k)));
      expect(second! - first!).toBe(factor);
      expect(mentions(x, v)).toBe(factor !== 0);
    });
  });
});

describe("simplification", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  const varsOf = (shape: readonly number[]): IndexVar[] => shape.map((n, i) => indexVar(`i${i}`, n));
  const keys = (xs: readonly Index[]): string[] => xs.map((x) => x.key);

  it("unflatten undoes flatIndex", () => {
    holds(500, [shapes], (shape) => {
      const index = varsOf(shape).map(varIndex);
      expect(keys(unflatten(flatIndex(index, shape), shape))).toEqual(keys(index));
    });
  });

  it("flatIndex undoes unflatten", () => {
    holds(500, [shapes], (shape) => {
      const flat = varIndex(indexVar("flat", sizeOf(shape)));
      expect(flatIndex(unflatten(flat, shape), shape).key).toBe(flat.key);
    });
  });

  it("reshapes that come back leave nothing", () => {
    for (const [from, to] of [
      [
        [6, 4],
        [3, 8],
      ],
      [[6, 4], [24]],
      [
        [2, 3, 4],
        [4, 6],
      ],
      [
        [8, 8],
        [4, 2, 8],
      ],
      [
        [1, 12],
        [3, 1, 4],
      ],
    ] as const) {
      const index = varsOf(from).map(varIndex);
      const there = unflatten(flatIndex(index, from), to);
      expect(keys(unflatten(flatIndex(there, to), from))).toEqual(keys(index));
    }
  });

  it("splits of one axis stay affine", () => {
    const [i, j] = [indexVar("i", 6), indexVar("j", 4)];
    const [rows, columns] = unflatten(flatIndex([varIndex(i), varIndex(j)], [6, 4]), [3, 8]);
    expect(printIndex(rows!)).toBe("((i) / 2)");
    expect(factorOf(columns!, j)).toBe(1);
    expect(columns!.max).toBe(7);
    // A tile of a row-major array: 4 g + l in rows of 8.
    const [g, l] = [indexVar("g", 10), indexVar("l", 4)];
    const at = add(scale(varIndex(g), 4), varIndex(l));
    expect(factorOf(floorDiv(at, 8), l)).toBe(0);
    expect(factorOf(modulo(at, 8), l)).toBe(1);
  });

  it("strides that divide leave no remainder", () => {
    holds(300, [shapes], (shape) => {
      const index = varsOf(shape).map(varIndex);
      const flat = flatIndex(index, shape);
      const strides = stridesOf(shape);
      for (const s of strides) {
        expect(modulo(scale(flat, s), s).key).toBe(zeroIndex.key);
        expect(floorDiv(scale(flat, s), s).key).toBe(flat.key);
        expect(floorDiv(addConstant(scale(flat, s), s - 1), s).key).toBe(flat.key);
      }
    });
  });
});
