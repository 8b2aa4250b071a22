/** Loop nests for tests: short forms, random ones, and running them as WebAssembly. */
import fc from "fast-check";
import { emitModule } from "../../src/backends/wasm/codegen.ts";
import { expandCall } from "../../src/compiler/expandMath.ts";
import { applyBinary, applyUnary } from "../../src/compiler/loopNest/evaluateExpr.ts";
import {
  type For,
  type If,
  type LoopKind,
  type LoopNest,
  type Stmt,
  store,
} from "../../src/compiler/loopNest/loopNest.ts";
import { printNest } from "../../src/compiler/loopNest/printNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import {
  type Index,
  type IndexVar,
  add,
  addConstant,
  constantIndex,
  floorDiv,
  indexVar,
  modulo,
  scale,
  varIndex,
} from "../../src/core/indexing.ts";
import {
  type BinaryOp,
  type Buffer,
  type Expr,
  type Local,
  type ScalarType,
  type StorageType,
  type UnaryOp,
  binary,
  bitcast,
  compare,
  constant,
  convert,
  indexOf,
  isNaNExpr,
  like,
  load,
  loadedType,
  newBuffer,
  newLocal,
  ofIndex,
  quotient,
  readLocal,
  select,
  storageBytes,
  u32,
  unary,
} from "../../src/core/scalar.ts";

export const loop = (kind: LoopKind, variable: IndexVar, ...body: Stmt[]): For => ({
  kind: "for",
  loop: kind,
  variable,
  body,
});
export { store };
export const when = (condition: Expr, ...body: Stmt[]): If => ({ kind: "if", condition, body });
/** Factor times variable, summed, plus a constant. */
export const at = (...parts: readonly (IndexVar | number | readonly [number, IndexVar])[]): Index =>
  parts
    .map((p) => (typeof p === "number" ? constantIndex(p) : "kind" in p ? varIndex(p) : scale(varIndex(p[1]), p[0])))
    .reduce((a, b) => add(a, b));

export const arrays: Readonly<
  Record<StorageType, new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray>
> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};
export const emptyOf = (b: Buffer): TypedArray =>
  new arrays[b.storage](new ArrayBuffer(b.length * storageBytes[b.storage]), 0, b.length);

/** The functions that a module may import. */
export const math = (names: readonly string[]): Record<string, (x: number, y: number) => number> =>
  Object.fromEntries(
    names.map((name) => [
      name,
      name === "rem" || name === "pow" || name === "atan2"
        ? (x: number, y: number) => applyBinary(name, "f64", x, y)
        : (x: number) => applyUnary(name as UnaryOp, "f64", x),
    ]),
  );

/** Runs nests one after the other as WebAssembly on arrays for the parameters of the first; changes the arrays. */
export function runWasm(nest: LoopNest, data: readonly TypedArray[], relaxedSimd = false): void {
  const { bytes, scratchBytes, mathImports } = emitModule([nest], { relaxedSimd });
  let end = 64;
  const places = [...data.map((d) => d.byteLength), scratchBytes[0]!].map((n) => {
    const place = end;
    end = Math.ceil((end + n) / 16) * 16;
    return place;
  });
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65536) });
  // What lies outside of the arrays must stay as it is.
  new Uint8Array(memory.buffer).fill(0xab);
  const views = data.map((d, i) => new Uint8Array(memory.buffer, places[i], d.byteLength));
  views.forEach((v, i) => v.set(new Uint8Array(data[i]!.buffer, data[i]!.byteOffset, data[i]!.byteLength)));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>), {
    env: { memory },
    math: math(mathImports),
  });
  (instance.exports["k0"] as (...addresses: number[]) => void)(...places);
  views.forEach((v, i) => {
    const d = data[i]!;
    const after = new Uint8Array(memory.buffer, places[i]! + d.byteLength, 1)[0];
    if (d.byteLength % 16 !== 0 && after !== 0xab) throw new Error(`wrote beyond ${nest.params[i]!.buffer.name}`);
    new Uint8Array(d.buffer, d.byteOffset, d.byteLength).set(v);
  });
}

// ---------------------------------------------------------------- random nests

const storages: readonly StorageType[] = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64"];
const types: readonly ScalarType[] = ["bool", "i32", "u32", "f32", "f64"];
const floats = [0, -0, 1, -1, 0.5, -2.5, 3.75, 1e-40, -1e-40, 1e30, -1e30, Infinity, -Infinity, NaN, 2147483648, -7.25];
const wholes = [0, 1, -1, 2, 3, 7, -8, 31, 255, 256, -32768, 65535, 2147483647, -2147483648];
const inputLength = 256;

/** Something to draw numbers from. */
export interface Source {
  /** A whole number less than `n`. */
  readonly below: (n: number) => number;
}
const pick = <T>(s: Source, from: readonly T[]): T => from[s.below(from.length)]!;

/** A random loop nest with data for its parameters; no two iterations of a vector loop store to the same place. */
export class RandomNest {
  readonly #source: Source;
  readonly #inputs: Buffer[] = [];
  readonly #outputs: Buffer[] = [];
  readonly #privates: Buffer[] = [];
  #variables: IndexVar[] = [];
  #locals: Local[] = [];
  /** Expressions made in the current body, to share. */
  #made: Expr[] = [];
  #inVector = false;
  /** Most nests do without f64, which has no lanes. */
  readonly #storages: readonly StorageType[];
  readonly #types: readonly ScalarType[];
  /** While a private buffer is written, it is read at the place that is written only. */
  #readsPrivate = true;

  constructor(source: Source) {
    this.#source = source;
    const wide = source.below(4) === 0;
    this.#storages = wide ? storages : storages.filter((x) => x !== "f64");
    this.#types = wide ? types : types.filter((x) => x !== "f64");
  }

  nest(): { readonly nest: LoopNest; readonly data: TypedArray[] } {
    const s = this.#source;
    for (let i = s.below(3); i > 0; i--)
      this.#privates.push(newBuffer(`p${i}`, pick(s, this.#storages), pick(s, [4, 8, 12]), "private"));
    const block = indexVar("block", pick(s, [1, 3]));
    const inside = (): Stmt[] => {
      const init = this.#privates.map((p) => {
        const v = indexVar("init", p.length);
        const i = varIndex(v);
        return loop(
          pick(s, ["vector", "serial", "unroll"]),
          v,
          store(p, i, convert(ofIndex(i), loadedType(p.storage))),
        );
      });
      return [...init, ...this.#body(3)];
    };
    const body = s.below(2) ? [loop("block", block, ...this.#scoped(block, inside))] : inside();
    const params = [
      ...this.#inputs.map((buffer) => ({ buffer, access: "read" as const })),
      ...this.#outputs.map((buffer) => ({ buffer, access: "write" as const })),
    ];
    const data = [...this.#inputs.map((b) => this.#filled(b)), ...this.#outputs.map(emptyOf)];
    return { nest: { name: "random", params, scratch: this.#privates, body }, data };
  }

  #filled(b: Buffer): TypedArray {
    const s = this.#source;
    const array = emptyOf(b);
    const from = b.storage === "f32" || b.storage === "f64" ? floats : wholes;
    for (let i = 0, mix = s.below(997) + 1; i < array.length; i++, mix = (mix * 48271) % 2147483647)
      array[i] = mix % 3 === 0 ? from[mix % from.length]! : (mix % 2001) / (from === floats ? 8 : 1) - 100;
    return array;
  }

  #scoped<T>(v: IndexVar | null, make: () => T): T {
    const [variables, locals, made] = [this.#variables, this.#locals, this.#made];
    if (v) this.#variables = [...variables, v];
    this.#locals = [...locals];
    this.#made = [];
    const out = make();
    [this.#variables, this.#locals, this.#made] = [variables, locals, made];
    return out;
  }

  #body(depth: number): Stmt[] {
    const out: Stmt[] = [];
    for (let i = 1 + this.#source.below(4); i > 0; i--) out.push(...this.#statement(depth));
    return out;
  }

  #statement(depth: number): Stmt[] {
    const s = this.#source;
    switch (s.below(depth > 0 ? 9 : 5)) {
      case 0: {
        const value = this.#value(pick(s, this.#types), 3);
        const local = newLocal("l", value.type);
        this.#locals.push(local);
        return [{ kind: "let", local, value }];
      }
      case 1:
        return this.#accumulation();
      case 2:
        // Iterations of a vector loop would read what others wrote.
        if (this.#privates.length > 0 && !this.#inVector) return [this.#privateStore()];
        return [this.#outputStore()];
      case 3:
      case 4:
        return [this.#outputStore()];
      case 5: {
        const condition = this.#value("bool", 2);
        return [when(condition, ...this.#scoped(null, () => this.#body(depth - 1)))];
      }
      default: {
        const kinds: readonly LoopKind[] = this.#inVector
          ? ["serial", "unroll"]
          : ["serial", "unroll", "vector", "vector", "call"];
        const kind = pick(s, kinds);
        if (kind === "call") return [this.#called(depth)];
        const extent = kind === "vector" ? 1 + s.below(pick(s, [12, 45, 100])) : 1 + s.below(5);
        const v = indexVar(kind[0]!, kind === "unroll" ? Math.min(extent, 4) : extent);
        const outer = this.#inVector;
        this.#inVector ||= kind === "vector";
        const body = this.#scoped(v, () => this.#body(depth - 1));
        this.#inVector = outer;
        if (kind !== "serial" || s.below(3) > 0) return [loop(kind, v, ...body)];
        const count = newLocal("n", "i32");
        const given = outer ? constant("i32", 1 + s.below(v.extent)) : this.#value("i32", 2);
        const bounded = binary("min", binary("max", given, constant("i32", 1)), constant("i32", v.extent));
        return [
          { kind: "let", local: count, value: bounded },
          { ...loop(kind, v, ...body), count },
        ];
      }
    }
  }

  /** A function of its own, which assigns no local from outside. */
  #called(depth: number): Stmt {
    return loop("call", indexVar("c", 1), ...this.#scoped(null, () => this.#body(depth - 1)));
  }

  /** A mutable local with a loop that adds to it. */
  #accumulation(): Stmt[] {
    const s = this.#source;
    const type = pick(s, ["i32", "u32", "f32", this.#types.at(-1)!] as const);
    const local = newLocal("m", type, true);
    const value = this.#value(type, 1);
    const v = indexVar("k", 1 + s.below(6));
    const op = pick(s, ["add", "max", "mul"] as const);
    const body = this.#scoped(v, () => [
      { kind: "assign", local, value: binary(op, readLocal(local), this.#value(type, 2)) } as const,
    ]);
    this.#locals.push(local);
    return [{ kind: "declare", local, value }, loop(pick(s, ["serial", "unroll"]), v, ...body)];
  }

  #privateStore(): Stmt {
    this.#readsPrivate = false;
    const made = this.#made;
    this.#made = [];
    const out = this.#storeToPrivate();
    this.#made = made;
    this.#readsPrivate = true;
    return out;
  }
  #storeToPrivate(): Stmt {
    const s = this.#source;
    const p = pick(s, this.#privates);
    const v = indexVar("q", pick(s, [p.length, 4, 1]));
    const index = addConstant(varIndex(v), pick(s, v.extent === p.length ? [0] : [0, p.length - v.extent]));
    if (s.below(3) === 0) {
      const [row, lane] = [indexVar("row", p.length / 4), indexVar("lane", 4)];
      const place = add(scale(varIndex(row), 4), varIndex(lane));
      const write = (): Stmt => store(p, place, this.#value(loadedType(p.storage), 2, { buffer: p, index: place }));
      return loop(
        pick(s, ["unroll", "serial"]),
        row,
        this.#scoped(row, () => loop("vector", lane, this.#scoped(lane, write))),
      );
    }
    const kind = pick(s, ["vector", "unroll", "serial"] as const);
    return loop(
      kind,
      v,
      ...this.#scoped(v, () => [store(p, index, this.#value(loadedType(p.storage), 2, { buffer: p, index }))]),
    );
  }

  #outputStore(): Stmt {
    const s = this.#source;
    const storage = pick(s, this.#storages);
    // Each iteration has a place of its own.
    let index = constantIndex(0);
    let length = 1;
    for (const v of s.below(2) ? this.#variables : [...this.#variables].reverse()) {
      index = add(index, scale(varIndex(v), length));
      length *= v.extent;
    }
    if (s.below(4) === 0) index = addConstant(scale(index, -1), length - 1);
    const factor = pick(s, [1, 1, 1, 2, 3]);
    index = addConstant(scale(index, factor), s.below(3));
    const buffer = newBuffer("o", storage, index.max + 1 + s.below(2));
    this.#outputs.push(buffer);
    return store(buffer, index, this.#value(loadedType(storage), 4));
  }

  index(depth: number): Index {
    const s = this.#source;
    const leaf = (): Index =>
      this.#variables.length > 0 && s.below(5) > 0
        ? varIndex(pick(s, this.#variables))
        : constantIndex(s.below(20) - 8);
    if (depth === 0) return leaf();
    switch (s.below(7)) {
      case 0:
      case 1:
        return add(this.index(depth - 1), this.index(depth - 1));
      case 2:
        return scale(this.index(depth - 1), s.below(9) - 4);
      case 3:
        return floorDiv(this.index(depth - 1), 1 + s.below(9));
      case 4:
        return modulo(this.index(depth - 1), 1 + s.below(9));
      case 5: {
        const x = this.#value("i32", 1);
        return indexOf(binary("and", x, like(x, 15)), 0, 15);
      }
      default:
        return leaf();
    }
  }

  /** An index within a buffer of a given length. */
  #within(length: number): Index {
    const x = this.index(this.#source.below(4));
    return x.max - x.min < length
      ? addConstant(x, this.#source.below(length - (x.max - x.min)) - x.min)
      : modulo(x, length);
  }

  #value(type: ScalarType, depth: number, old?: { buffer: Buffer; index: Index }): Expr {
    const s = this.#source;
    const shared = this.#made.filter((e) => e.type === type);
    if (shared.length > 0 && s.below(5) === 0) return pick(s, shared);
    const e = depth === 0 ? this.#leaf(type, old) : this.#operation(type, depth - 1, old);
    this.#made.push(e);
    return e;
  }

  #leaf(type: ScalarType, old?: { buffer: Buffer; index: Index }): Expr {
    const s = this.#source;
    if (old && s.below(2)) return convert(load(old.buffer, old.index), type);
    switch (s.below(5)) {
      case 0:
        return constant(type, pick(s, type === "f32" || type === "f64" ? floats : wholes));
      case 1:
        return convert(ofIndex(this.index(2)), type);
      case 2:
        if (this.#locals.length > 0) return convert(readLocal(pick(s, this.#locals)), type);
        return this.#load(type);
      case 3:
        if (this.#privates.length > 0 && this.#readsPrivate) {
          const p = pick(s, this.#privates);
          const index = s.below(2) ? constantIndex(s.below(p.length)) : this.#within(p.length);
          return convert(load(p, index), type);
        }
        return this.#load(type);
      default:
        return this.#load(type);
    }
  }

  #load(type: ScalarType): Expr {
    const s = this.#source;
    const fitting = this.#storages.filter((x) => loadedType(x) === type);
    const storage = pick(s, fitting.length > 0 && s.below(3) ? fitting : this.#storages);
    let buffer = this.#inputs.find((b) => b.storage === storage);
    if (!buffer) this.#inputs.push((buffer = newBuffer("x", storage, inputLength)));
    return convert(load(buffer, this.#within(inputLength)), type);
  }

  #operation(type: ScalarType, depth: number, old?: { buffer: Buffer; index: Index }): Expr {
    const s = this.#source;
    const value = (t: ScalarType): Expr => this.#value(t, depth, old);
    const which = s.below(8);
    if (which === 0) return select(value("bool"), value(type), value(type));
    if (which === 1) return convert(value(pick(s, this.#types)), type);
    switch (type) {
      case "bool": {
        const t = pick(s, this.#types);
        if (which < 5) return compare(pick(s, ["eq", "ne", "lt", "le", "gt", "ge"] as const), value(t), value(t));
        if (which === 5) return unary("not", value("bool"));
        if (which === 6) return isNaNExpr(value(pick(s, ["f32", this.#types.at(-1)!] as const)));
        return binary(pick(s, ["and", "or", "xor", "min", "max"] as const), value("bool"), value("bool"));
      }
      case "i32":
      case "u32": {
        if (which === 2) return quotient(pick(s, ["div", "rem"] as const), value(type), value(type));
        if (which === 3)
          return binary(pick(s, ["shl", "shr"] as const), value(type), binary("and", value(type), constant(type, 31)));
        if (which === 4) return unary(pick(s, ["neg", "abs", "not", "clz", "popcount"] as const), value(type));
        if (which === 5) {
          const x = value("f32");
          // NaNs may differ in their bits.
          return convert(select(isNaNExpr(x), u32(5), bitcast(x, "u32")), type);
        }
        const ops: readonly BinaryOp[] = ["add", "sub", "mul", "min", "max", "and", "or", "xor"];
        return binary(pick(s, ops), value(type), value(type));
      }
      default: {
        if (which === 2 && type === "f32") {
          if (s.below(2)) return bitcast(value(pick(s, ["i32", "u32"] as const)), type);
          // Long ones, that code may branch around.
          return expandCall(pick(s, ["sin", "tan", "asinh", "exp", "log1p"]), value(type))!;
        }
        if (which === 2) return unary(pick(s, ["exp", "sin", "log", "tanh", "cbrt"] as const), value(type));
        if (which === 3)
          return unary(pick(s, ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "round"] as const), value(type));
        const ops: readonly BinaryOp[] = ["add", "sub", "mul", "div", "min", "max", "rem"];
        return binary(type === "f64" && which === 4 ? "pow" : pick(s, ops), value(type), value(type));
      }
    }
  }
}

/** Random nests, drawn so that fast-check can shrink them. */
export const randomNest = (): fc.Arbitrary<{ readonly nest: LoopNest; readonly data: TypedArray[] }> =>
  fc.gen().map((g) => {
    const made = new RandomNest({ below: (n) => g(fc.nat, { max: n - 1 }) }).nest();
    return { ...made, [fc.toStringMethod]: () => printNest(made.nest) };
  });
