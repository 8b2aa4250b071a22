/**
 * Index arithmetic as wasm: sums over loop variables become pointers that their loops advance, whatever is invariant moves
 * out of loops, constants go into the offsets of loads and stores.
 *
 * An index is resolved first: variables of unrolled loops are replaced by their numbers, the variable of a vector loop by
 * 4 × group + lane. A lane is either a number, or symbolic: then the resolved index has the lane's factor.
 */
import {
  type Index,
  type IndexAtom,
  type IndexVar,
  type IndexValue,
  constantIndex,
  indexVar,
  leastOfTerm,
  substitute,
  visitAtoms,
  zeroIndex,
} from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import type { Buffer, Expr } from "../../core/scalar.ts";
import { storageBytes } from "../../core/scalar.ts";
import { i32Type } from "./encoder.ts";
import { type Dependence, Scopes, changing, dependence, independent, joined } from "./scopes.ts";

/** What stands for a loop variable at the moment. */
type Meaning =
  | { readonly kind: "constant"; readonly value: number; readonly scope: number }
  /** A wasm local that counts the iterations of the loop. */
  | { readonly kind: "counter"; readonly local: number; readonly scope: number }
  /** An index over other variables. */
  | { readonly kind: "sum"; readonly index: Index; readonly scope: number }
  | { readonly kind: "lane"; readonly scope: number };
interface Binding {
  readonly meaning: Meaning;
  readonly at: Dependence;
}

interface ResolvedTerm {
  readonly atom: IndexAtom;
  factor: number;
  readonly key: string;
}
export interface Resolved {
  readonly terms: ResolvedTerm[];
  constant: number;
  /** How much the index grows from lane to lane. */
  lane: number;
  /** Whether lanes differ in another way. */
  irregular: boolean;
}

/** Where a buffer begins: a local, and a number of bytes after it. */
export interface Base {
  readonly local: number;
  readonly offset: number;
  /** Whether each thread has its own copy, one after the other. */
  readonly perThread: boolean;
}

/** Equal for equal sums. */
function textOf(terms: readonly ResolvedTerm[]): string {
  if (terms.length === 1) return `${terms[0]!.factor}*${terms[0]!.key}`;
  return terms
    .map((t) => `${t.factor}*${t.key}`)
    .sort()
    .join("+");
}

/** In place of a base: the sum itself is the value. */
const plain = -1;
const lanesDiffer = dependence(0, 0, false, true);

export abstract class Addresses extends Scopes {
  readonly #bindings = new Map<IndexVar, Binding>();
  /** The lane of a vector, as a variable. */
  protected readonly lane = indexVar("lane", 4);
  /** The lane that is meant, or −1 for all. */
  protected laneNumber = -1;
  /** The number of the current thread. */
  protected thread: Index = zeroIndex;

  /** Pushes an expression's value. */
  abstract scalar(e: Expr): void;
  /** Pushes one lane of an expression that differs from lane to lane. */
  protected abstract scalarLane(e: Expr, lane: number): void;
  abstract dependence(e: Expr): Dependence;
  protected abstract base(buffer: Buffer): Base;

  /** Gives a variable its meaning for the duration of `body`. */
  protected bind(v: IndexVar, meaning: Meaning, body: () => void): void {
    this.define(v, meaning);
    body();
    this.#bindings.delete(v);
  }
  /** Gives a variable its meaning for good. */
  protected define(v: IndexVar, meaning: Meaning): void {
    this.#bindings.set(v, { meaning, at: this.#dependenceOf(meaning) });
  }
  #dependenceOf(m: Meaning): Dependence {
    switch (m.kind) {
      case "constant":
        return dependence(0, m.scope);
      case "counter":
        return dependence(m.scope);
      case "lane":
        return lanesDiffer;
      case "sum": {
        const { depth, changes, varies } = this.indexDependence(m.index);
        return dependence(depth, m.scope, changes, varies);
      }
    }
  }
  #binding(v: IndexVar): Binding {
    return this.#bindings.get(v) ?? unreachable(`loop variable ${v.name} is out of scope`);
  }

  // -------------------------------------------------------------- dependence

  /** What an index depends on, loads and other values in it included. */
  protected indexDependence(x: Index): Dependence {
    let all = independent;
    visitAtoms(x, (a) => (all = joined(all, a.kind === "value" ? this.dependence(a.expr) : this.#binding(a).at)));
    return all;
  }
  /** Of a resolved term: the copies of unrolled loops are in its key already, but for run-time values. */
  #termDependence(a: IndexAtom): Dependence {
    if (a.kind === "value") return this.dependence(a.expr);
    if (a.kind === "var") return this.#binding(a).at;
    return this.indexDependence(a.of);
  }
  #sumDependence(terms: readonly ResolvedTerm[]): Dependence {
    let all = independent;
    for (const t of terms) all = joined(all, this.#termDependence(t.atom));
    return all;
  }

  // -------------------------------------------------------------- resolution

  /** An index over counters, lanes and values alone; `lane` is a number or −1. */
  protected resolve(x: Index, lane: number): Resolved {
    const out: Resolved = { terms: [], constant: 0, lane: 0, irregular: false };
    const outer = this.laneNumber;
    this.laneNumber = lane;
    this.#addTo(out, x, 1);
    this.laneNumber = outer;
    return out;
  }
  #addTo(out: Resolved, x: Index, by: number): void {
    if (!x.isAffine && x.terms.some(({ atom }) => "of" in atom && this.#replaced(atom.of)))
      x = substitute(x, this.#replacement);
    out.constant += by * x.constant;
    for (let i = 0; i < x.terms.length; i++) {
      const { atom, factor, key } = x.terms[i]!;
      const n = by * factor;
      if (atom.kind === "var") {
        const b = this.#binding(atom).meaning;
        if (b.kind === "constant") out.constant += n * b.value;
        else if (b.kind === "sum") this.#addTo(out, b.index, n);
        else if (b.kind === "counter") this.#addTerm(out, atom, n, key);
        else if (this.laneNumber < 0) out.lane += n;
        else out.constant += n * this.laneNumber;
      } else {
        const varies = this.#termDependence(atom).varies;
        if (varies && this.laneNumber < 0) out.irregular = true;
        this.#addTerm(out, atom, n, varies ? `${key}#${this.laneNumber}` : key);
      }
    }
  }
  #addTerm(out: Resolved, atom: IndexAtom, factor: number, key: string): void {
    const same = out.terms.find((t) => t.key === key);
    if (same) same.factor += factor;
    else out.terms.push({ atom, factor, key });
  }
  /** Whether a variable stands for something else, so that quotients may become simpler. */
  #replaced(x: Index): boolean {
    return x.terms.some(({ atom }) => {
      if (atom.kind === "value") return false;
      if (atom.kind !== "var") return this.#replaced(atom.of);
      const { kind } = this.#binding(atom).meaning;
      return kind !== "counter" && (kind !== "lane" || this.laneNumber >= 0);
    });
  }
  readonly #replacement = (a: IndexVar | IndexValue): Index | null => {
    if (a.kind === "value") return null;
    const b = this.#binding(a).meaning;
    switch (b.kind) {
      case "constant":
        return constantIndex(b.value);
      case "sum":
        return substitute(b.index, this.#replacement);
      case "lane":
        return this.laneNumber < 0 ? null : constantIndex(this.laneNumber);
      case "counter":
        return null;
    }
  };

  // -------------------------------------------------------------- code

  /** Pushes the address of an element and returns the offset that its load or store must add. */
  protected address(buffer: Buffer, { terms, constant }: Resolved): number {
    const bytes = storageBytes[buffer.storage];
    const { local, offset, perThread } = this.base(buffer);
    let sum: readonly ResolvedTerm[] = terms;
    if (perThread) {
      const own: Resolved = { terms: terms.map((t) => ({ ...t })), constant: 0, lane: 0, irregular: false };
      this.#addTo(own, this.thread, buffer.length);
      sum = own.terms;
    }
    // Offsets are added without wrapping, so the sum without its constant must not be negative. Where the constant is
    // less than that takes (accesses behind an if), it goes into the sum.
    let least = 0;
    for (const t of sum) least += leastOfTerm(t);
    const bias = Math.min(constant, Math.max(0, -least));
    this.#push(local, bytes, sum, bias);
    return offset + bytes * (constant - bias);
  }

  /** Pushes an index as an i32. */
  protected pushIndex({ terms, constant }: Resolved): void {
    if (terms.length > 0) this.#push(plain, 1, terms, 0);
    if (terms.length === 0 || constant !== 0) this.code.i32(constant);
    if (terms.length > 0 && constant !== 0) this.code.op(addOp);
  }

  /** Pushes base + bytes · (terms + bias). Without a base there are terms, and no bias. */
  #push(base: number, bytes: number, terms: readonly ResolvedTerm[], bias: number): void {
    if (terms.length === 0) {
      this.code.get(base);
      if (bias !== 0) this.code.i32(bytes * bias).op(addOp);
      return;
    }
    const first = terms[0]!;
    if (base === plain && bias === 0 && terms.length === 1 && first.factor === 1) return this.#atom(first.atom);
    const at = this.#sumDependence(terms);
    const key = `${base}:${bytes}:${bias}:${textOf(terms)}`;
    const loop = this.scopes[at.depth]!;
    const inner = terms.filter((t) => this.#termDependence(t.atom).depth === at.depth);
    // Outside of all loops, a variable is a parameter of the function.
    const late = loop.kind === "loop" ? inner.filter((t) => t.atom.kind !== "var") : inner;
    if (loop.kind === "loop" && late.length === 0) this.code.get(this.#pointer(key, at, base, bytes, terms, bias));
    else
      this.share(key, at.varies ? changing(at) : at, i32Type, () => {
        const early = terms.filter((t) => !late.includes(t));
        let pushed = base !== plain || early.length > 0;
        if (pushed) this.#push(base, bytes, early, bias);
        for (const { atom, factor } of late) {
          this.#atom(atom);
          if (bytes * factor !== 1) this.code.i32(bytes * factor).op(mulOp);
          if (pushed) this.code.op(addOp);
          pushed = true;
        }
      });
  }

  /** A local that holds a sum whose innermost loop changes it by the same amount every time. */
  #pointer(
    key: string,
    at: Dependence,
    base: number,
    bytes: number,
    terms: readonly ResolvedTerm[],
    bias: number,
  ): number {
    const known = this.known(key, i32Type);
    if (known !== undefined) return known;
    const loop = this.scopes[at.depth]!;
    const local = this.newLocal(i32Type);
    loop.owned.push({ local, type: i32Type });
    const moving = terms.find((t) => t.atom.kind === "var" && this.#binding(t.atom).at.depth === at.depth)!;
    const rest = terms.filter((t) => t !== moving);
    const by = bytes * moving.factor;
    this.before(at.depth, () => {
      if (base === plain && rest.length === 0) this.code.i32(bytes * bias);
      else this.#push(base, bytes, rest, bias);
      if (loop.start !== undefined) this.code.get(loop.start).i32(by).op(mulOp).op(addOp);
      this.code.set(local);
    });
    loop.steps.push({ local, by });
    this.note(Math.max(at.depth, at.copy), key, i32Type, local);
    return local;
  }

  #atom(a: IndexAtom): void {
    switch (a.kind) {
      case "var": {
        const b = this.#binding(a).meaning;
        if (b.kind !== "counter") unreachable(`${a.name} was not resolved`);
        this.code.get(b.local);
        return;
      }
      case "value":
        if (this.laneNumber >= 0 && this.dependence(a.expr).varies) this.scalarLane(a.expr, this.laneNumber);
        else this.scalar(a.expr);
        return;
      default: {
        const at = this.indexDependence(a.of);
        const key = `${a.kind}${a.by}:${a.of.key}${at.varies ? `#${this.laneNumber}` : ""}`;
        this.share(key, at.varies ? changing(at) : at, i32Type, () => this.#divided(a.kind, a.of, a.by));
      }
    }
  }
  /** The quotient rounded down, or the remainder that is not negative. */
  #divided(kind: "div" | "mod", of: Index, by: number): void {
    const power = 31 - Math.clz32(by);
    const resolved = this.resolve(of, this.laneNumber);
    if (by === 2 ** power) {
      this.pushIndex(resolved);
      if (kind === "div") this.code.i32(power).op(shrOp);
      else this.code.i32(by - 1).op(andOp);
      return;
    }
    // Moved up by whole quotients, a negative operand divides like any other.
    const quotients = Math.max(0, Math.ceil(-of.min / by));
    resolved.constant += quotients * by;
    this.pushIndex(resolved);
    this.code.i32(by).op(kind === "div" ? divOp : remOp);
    if (kind === "div" && quotients > 0) this.code.i32(-quotients).op(addOp);
  }
}

const addOp = 0x6a;
const mulOp = 0x6c;
const divOp = 0x6e;
const remOp = 0x70;
const andOp = 0x71;
const shrOp = 0x75;
