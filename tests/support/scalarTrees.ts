/**
 * Random scalar expressions, as recipes that can be built twice: through the makers of `core/scalar.ts`, which fold and
 * simplify, and as plain nodes, one for each operation mentioned. Whatever the makers do, both have the same value.
 */
import fc from "fast-check";
import { type Environment } from "../../src/compiler/loopNest/evaluateExpr.ts";
import {
  type Index,
  add,
  constantIndex,
  floorDiv,
  indexVar,
  modulo,
  scale,
  varIndex,
} from "../../src/core/indexing.ts";
import {
  type BinaryOp,
  type CompareOp,
  type Expr,
  type ReduceOp,
  type ScalarType,
  type StorageType,
  type UnaryOp,
  binary,
  bitcast,
  clampIndex,
  compare,
  constant,
  convert,
  indexOf,
  load,
  loadedType,
  newBuffer,
  ofIndex,
  quotient,
  reduced,
  reduction,
  select,
  unary,
  within,
} from "../../src/core/scalar.ts";

export const storages: readonly StorageType[] = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64"];
export const scalarTypes: readonly ScalarType[] = ["bool", "i32", "u32", "f32", "f64"];
export const isFloat = (t: ScalarType): boolean => t === "f32" || t === "f64";

// ---------------------------------------------------------------- values

const floats = [0, 1, 0.5, 1.5, 2.5, 3, 24, 255.5, 16777215, 2147483648, 4294967296, Infinity];
const specialFloats: Readonly<Record<"f32" | "f64", readonly number[]>> = {
  // The least subnormal, the largest one, the least and largest normal.
  f32: [...floats, 2 ** -149, 2 ** -126 - 2 ** -149, 2 ** -126, (2 - 2 ** -23) * 2 ** 127],
  f64: [...floats, 5e-324, 2 ** -1022 - 5e-324, 2 ** -1022, Number.MAX_VALUE, 1 + 2 ** -52],
};
const ranges: Readonly<Partial<Record<StorageType, readonly [number, number]>>> = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65535],
  i16: [-32768, 32767],
  u32: [0, 4294967295],
  i32: [-2147483648, 2147483647],
};

/** Numbers that rules go wrong at: zeros of both signs, extremes, subnormals, infinities, NaN; bounds of whole numbers. */
export function specialsOf(storage: StorageType): readonly number[] {
  if (storage === "f32" || storage === "f64") {
    const f = specialFloats[storage];
    return [...f, ...f.map((v) => -v), NaN];
  }
  const [low, high] = ranges[storage]!;
  const all = [0, 1, 2, 3, 7, 31, 32, 0x55, 0x5555, 0x55555555, high - 1, high, low, low + 1, -1, -2, -31];
  return [...new Set(all.filter((v) => v >= low && v <= high))];
}
/** The storage whose loads give all values of a type; booleans are stored as bytes. */
export const storageOf = (t: ScalarType): StorageType => (t === "bool" ? "u8" : t);
export const specialValues = (t: ScalarType): readonly number[] => (t === "bool" ? [0, 1] : specialsOf(storageOf(t)));

const anyValue = (storage: StorageType): fc.Arbitrary<number> => {
  const range = ranges[storage];
  const special = fc.constantFrom(...specialsOf(storage));
  if (range) return fc.oneof(special, fc.integer({ min: range[0], max: range[1] }));
  return fc.oneof(special, storage === "f32" ? fc.float() : fc.double(), fc.integer({ min: -4, max: 4 }));
};

/** Equal as bits; NaN is any NaN, because machines differ in its bits. */
export const sameBits = (a: number, b: number): boolean => Object.is(a, b);

// ---------------------------------------------------------------- makers

/** What expressions are made with. */
export interface Maker {
  readonly unary: (op: UnaryOp, x: Expr) => Expr;
  readonly binary: (op: BinaryOp, x: Expr, y: Expr) => Expr;
  readonly compare: (op: CompareOp, x: Expr, y: Expr) => Expr;
  readonly select: (c: Expr, x: Expr, y: Expr) => Expr;
  readonly convert: (x: Expr, type: ScalarType) => Expr;
  readonly bitcast: (x: Expr, type: ScalarType) => Expr;
}
export const folding: Maker = { unary, binary, compare, select, convert, bitcast };
let plainId = -1;
const node = (fields: object): Expr => ({ id: plainId--, ...fields }) as Expr;
export const plain: Maker = {
  unary: (op, x) => node({ kind: "unary", type: op === "isNaN" ? "bool" : x.type, op, x }),
  binary: (op, x, y) => node({ kind: "binary", type: x.type, op, x, y }),
  compare: (op, x, y) => node({ kind: "compare", type: "bool", op, x, y }),
  select: (condition, x, y) => node({ kind: "select", type: x.type, condition, x, y }),
  convert: (x, type) => node({ kind: "convert", type, x }),
  bitcast: (x, type) => node({ kind: "bitcast", type, x }),
};

/** An expression to be made, once by each maker. */
export interface Recipe {
  readonly type: ScalarType;
  readonly text: string;
  readonly build: (m: Maker) => Expr;
}
function recipe(type: ScalarType, text: string, make: (m: Maker) => Expr): Recipe {
  const made = new Map<Maker, Expr>();
  const build = (m: Maker): Expr => {
    let e = made.get(m);
    if (!e) made.set(m, (e = make(m)));
    return e;
  };
  return { type, text, build };
}

// ---------------------------------------------------------------- leaves

const elements = 4;
export const buffers = Object.fromEntries(storages.map((s) => [s, newBuffer(s, s, elements)])) as Record<
  StorageType,
  ReturnType<typeof newBuffer>
>;
/** A loop around the expressions, and the variables of reductions, which have a value outside as well. */
export const outer = indexVar("i", elements);
export const inner = indexVar("r", 3);
const places: readonly Index[] = [
  ...Array.from({ length: elements }, (_, i) => constantIndex(i)),
  varIndex(outer),
  varIndex(inner),
];

export interface Data {
  readonly stored: Readonly<Record<StorageType, readonly number[]>>;
  readonly outer: number;
}
export const data: fc.Arbitrary<Data> = fc.record({
  stored: fc.record(
    Object.fromEntries(
      storages.map((s) => [s, fc.array(anyValue(s), { minLength: elements, maxLength: elements })]),
    ) as Record<StorageType, fc.Arbitrary<number[]>>,
  ),
  outer: fc.nat(elements - 1),
});
export const environment = ({ stored, outer: i }: Data): Environment => ({
  variables: new Map([
    [outer, i],
    [inner, 0],
  ]),
  locals: new Map(),
  load: (b, i) => stored[b.storage][i]!,
});

// ---------------------------------------------------------------- operations

const arithmetic: readonly BinaryOp[] = ["add", "sub", "mul", "min", "max"];
const bitwise: readonly BinaryOp[] = ["and", "or", "xor"];
/** Operations that are defined for all operands of a type. */
export const binaryOps = (t: ScalarType): readonly BinaryOp[] =>
  t === "bool"
    ? ["min", "max", ...bitwise]
    : isFloat(t)
      ? [...arithmetic, "div", "rem", "pow", "atan2"]
      : [...arithmetic, ...bitwise];
/** Those of whole numbers that are not. */
export const partialOps: readonly BinaryOp[] = ["div", "rem", "shl", "shr"];
export const isDefined = (op: BinaryOp, t: ScalarType, a: number, b: number): boolean => {
  if (isFloat(t) || !partialOps.includes(op)) return true;
  if (op === "shl" || op === "shr") return b >= 0 && b < 32;
  return b !== 0 && !(t === "i32" && a === -2147483648 && b === -1);
};
export const unaryOps = (t: ScalarType): readonly UnaryOp[] =>
  t === "bool"
    ? ["not"]
    : isFloat(t)
      ? ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "round", "exp", "log1p"]
      : ["neg", "abs", "not", "clz", "popcount"];
export const compareOps: readonly CompareOp[] = ["eq", "ne", "lt", "le", "gt", "ge"];
const reduceOps = (t: ScalarType): readonly ReduceOp[] =>
  t === "bool"
    ? (bitwise.slice(0, 2) as ReduceOp[])
    : isFloat(t)
      ? ["add", "mul", "min", "max"]
      : ["add", "mul", "xor"];

const whole = (t: ScalarType): boolean => t === "i32" || t === "u32";

type Trees = Record<ScalarType, Recipe>;

/** Random recipes of every type. */
export const trees: Readonly<Record<ScalarType, fc.Arbitrary<Recipe>>> = fc.letrec<Trees>((tie) => {
  const tree = (t: ScalarType): fc.Arbitrary<Recipe> => tie(t);
  const constants = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .oneof(
        t === "bool" ? fc.constantFrom(0, 1) : anyValue(storageOf(t)),
        fc.constantFrom(...[0, 1].concat(t === "bool" || t === "u32" ? [] : [-1])),
      )
      .map((v) => recipe(t, `${Object.is(v, -0) ? "-0" : v}${t}`, () => constant(t, v)));
  const leaves = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .record({
        storage: fc.constantFrom(...storages.filter((s) => t === "bool" || loadedType(s) === t)),
        n: fc.nat(places.length - 1),
      })
      .map(({ storage, n }) => {
        const value = (): Expr => load(buffers[storage], places[n]!);
        return recipe(t, `${storage}[${places[n]!.key}]`, () =>
          t === "bool" ? plain.compare("ne", value(), constant(loadedType(storage), 0)) : value(),
        );
      });
  /** Two operands, often the same one. */
  const pair = (t: ScalarType): fc.Arbitrary<readonly [Recipe, Recipe]> =>
    fc.tuple(tree(t), tree(t), fc.nat(5)).map(([x, y, same]) => [x, same === 0 ? x : y]);

  const unaries = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .tuple(fc.constantFrom(...unaryOps(t)), tree(t))
      .map(([op, x]) => recipe(t, `${op}(${x.text})`, (m) => m.unary(op, x.build(m))));
  const binaries = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .tuple(fc.constantFrom(...binaryOps(t)), pair(t))
      .map(([op, [x, y]]) => recipe(t, `${op}(${x.text}, ${y.text})`, (m) => m.binary(op, x.build(m), y.build(m))));
  /** With operands brought to where the operation is defined. */
  const partials = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc.tuple(fc.constantFrom(...partialOps), pair(t)).map(([op, [x, y]]) =>
      recipe(t, `${op}(${x.text}, ${y.text})`, (m) => {
        const [a, b] = [x.build(m), y.build(m)];
        if (op === "shl" || op === "shr") return m.binary(op, a, m.binary("and", b, constant(t, 31)));
        const special = m.binary("or", m.compare("eq", b, constant(t, 0)), m.compare("eq", b, constant(t, -1)));
        return m.binary(op, a, m.select(special, constant(t, 1), b));
      }),
    );
  /** Quotients for every divisor. The plain form is written out here. */
  const quotients = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc.tuple(fc.constantFrom("div" as const, "rem" as const), pair(t)).map(([op, [x, y]]) =>
      recipe(t, `quotient ${op}(${x.text}, ${y.text})`, (m) => {
        const [a, b] = [x.build(m), y.build(m)];
        if (m === folding) return quotient(op, a, b);
        const zero = m.compare("eq", b, constant(t, 0));
        const minusOne = t === "i32" ? m.compare("eq", b, constant(t, -1)) : constant("bool", 0);
        const safe = m.select(m.binary("or", zero, minusOne), constant(t, 1), b);
        const byMinusOne = op === "div" ? m.binary("sub", constant(t, 0), a) : constant(t, 0);
        return m.select(
          zero,
          op === "div" ? constant(t, -1) : a,
          m.select(minusOne, byMinusOne, m.binary(op, a, safe)),
        );
      }),
    );
  const selects = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .tuple(tree("bool"), pair(t))
      .map(([c, [x, y]]) =>
        recipe(t, `(${c.text} ? ${x.text} : ${y.text})`, (m) => m.select(c.build(m), x.build(m), y.build(m))),
      );
  const converts = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .constantFrom(...scalarTypes.filter((from) => from !== t))
      .chain((from) => tree(from))
      .map((x) => recipe(t, `${t}(${x.text})`, (m) => m.convert(x.build(m), t)));
  /** Bits of whole numbers with one cleared, so that no float made of them is NaN, which keeps no bits. */
  const bitcasts = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .constantFrom(...(["i32", "u32", "f32"] as const).filter((from) => from !== t))
      .chain((from) => tree(from))
      .map((x) =>
        recipe(t, `bits ${t}(${x.text})`, (m) => {
          const v = x.build(m);
          return m.bitcast(t === "f32" ? m.binary("and", v, constant(v.type, 0xff7fffff)) : v, t);
        }),
      );
  const reductions = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc
      .tuple(fc.constantFrom(...reduceOps(t)), tree(t), fc.constantFrom(0, 1))
      .map(([op, x, init]) =>
        recipe(t, `reduce ${op}(${x.text})`, (m) => reduced(reduction([inner], [t], [init], op, [x.build(m)]))),
      );
  const sometimes = (when: boolean, ...more: fc.Arbitrary<Recipe>[]): fc.Arbitrary<Recipe>[] => (when ? more : []);
  const treeOf = (t: ScalarType): fc.Arbitrary<Recipe> =>
    fc.oneof(
      { maxDepth: 6, depthSize: "small" },
      leaves(t),
      constants(t),
      unaries(t),
      binaries(t),
      selects(t),
      converts(t),
      reductions(t),
      ...sometimes(t !== "bool" && t !== "f64", bitcasts(t)),
      ...sometimes(whole(t), partials(t), quotients(t)),
      ...sometimes(t === "i32", indices(tree("i32"))),
      ...sometimes(
        t === "bool",
        fc
          .tuple(
            fc.constantFrom(...compareOps),
            fc.constantFrom(...scalarTypes.slice(1)).chain((s) => pair(s)),
          )
          .map(([op, [x, y]]) =>
            recipe("bool", `${op}(${x.text}, ${y.text})`, (m) => m.compare(op, x.build(m), y.build(m))),
          ),
        fc
          .constantFrom("f32" as const, "f64" as const)
          .chain((s) => tree(s))
          .map((x) => recipe("bool", `isNaN(${x.text})`, (m) => m.unary("isNaN", x.build(m)))),
        ranged(tree("i32")),
      ),
    );
  return {
    bool: treeOf("bool"),
    i32: treeOf("i32"),
    u32: treeOf("u32"),
    f32: treeOf("f32"),
    f64: treeOf("f64"),
  };
});

/** Values from 0 to 15 and the loop variable: as an index of the canonical form, and as arithmetic. */
interface Point {
  readonly index: (m: Maker) => Index;
  readonly value: (m: Maker) => Expr;
  readonly text: string;
}
function points(x: fc.Arbitrary<Recipe>): fc.Arbitrary<Point> {
  return fc
    .record({
      x,
      y: x,
      a: fc.integer({ min: -3, max: 5 }),
      b: fc.integer({ min: -3, max: 5 }),
      c: fc.integer({ min: -40, max: 40 }),
      shift: fc.nat(4),
    })
    .map(({ x: p, y: q, a, b, c, shift }) => {
      const low = (r: Recipe, m: Maker): Expr => m.binary("and", r.build(m), constant("i32", 15));
      const number = (n: number): Expr => constant("i32", n);
      const term = (m: Maker, n: number, v: Expr): Expr => m.binary("mul", number(n), v);
      const loop: Expr = node({ kind: "index", type: "i32", index: varIndex(outer) });
      return {
        text: `${a}*(${p.text} & 15) + ${b}*((${q.text} & 15) >> ${shift}) + ${b}*(i % ${2 ** shift}) + ${c}`,
        index: (m) => {
          const [s, t] = [p, q].map((r) => indexOf(low(r, m), 0, 15));
          const halved = add(scale(s!, a), scale(floorDiv(t!, 2 ** shift), b));
          return add(add(halved, scale(modulo(varIndex(outer), 2 ** shift), b)), constantIndex(c));
        },
        value: (m) => {
          const [s, t] = [p, q].map((r) => low(r, m));
          const halved = m.binary("add", term(m, a, s!), term(m, b, m.binary("shr", t!, number(shift))));
          const rest = term(m, b, m.binary("and", loop, number(2 ** shift - 1)));
          return m.binary("add", m.binary("add", halved, rest), number(c));
        },
      };
    });
}
function indices(x: fc.Arbitrary<Recipe>): fc.Arbitrary<Recipe> {
  return fc
    .tuple(points(x), fc.integer({ min: -20, max: 20 }), fc.nat(30), fc.boolean())
    .map(([p, low, n, clamped]) => {
      const high = low + n;
      return recipe("i32", clamped ? `clamp(${p.text}, ${low}, ${high})` : `index(${p.text})`, (m) => {
        if (m === folding) return ofIndex(clamped ? clampIndex(p.index(m), low, high) : p.index(m));
        const v = p.value(m);
        return clamped ? m.binary("min", m.binary("max", v, constant("i32", low)), constant("i32", high)) : v;
      });
    });
}
function ranged(x: fc.Arbitrary<Recipe>): fc.Arbitrary<Recipe> {
  return fc.tuple(points(x), fc.integer({ min: -60, max: 60 }), fc.nat(80)).map(([p, low, n]) =>
    recipe("bool", `within(${p.text}, ${low}, ${low + n})`, (m) => {
      if (m === folding) return within(p.index(m), low, low + n);
      const v = p.value(m);
      return m.binary("and", m.compare("ge", v, constant("i32", low)), m.compare("lt", v, constant("i32", low + n)));
    }),
  );
}
