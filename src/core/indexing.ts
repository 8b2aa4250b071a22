/**
 * Index arithmetic: integer expressions over loop variables, kept in one canonical form.
 *
 * An `Index` is a sum of atoms times whole factors plus a constant. An atom is a loop variable, the floor quotient or
 * remainder of an index by a positive constant, or a value computed at run time whose range is known. Every index knows
 * its range, and every rule below is justified by it: quotients round down and remainders are not negative, whatever the
 * sign of the operand. Equal indices have equal keys.
 */
import type { Expr } from "./scalar.ts";
import { type Shape, sizeOf, stridesOf } from "./shape.ts";

/** A loop variable: runs over 0 … extent − 1. */
export interface IndexVar {
  readonly kind: "var";
  readonly id: number;
  /** For printing only; identity is the object's. */
  readonly name: string;
  readonly extent: number;
}
interface FloorDiv {
  readonly kind: "div";
  readonly of: Index;
  readonly by: number;
}
interface Modulo {
  readonly kind: "mod";
  readonly of: Index;
  readonly by: number;
}
/** An i32 known only at run time, within [min, max]: gather indices, clamped starts. */
export interface IndexValue {
  readonly kind: "value";
  readonly expr: Expr;
  readonly min: number;
  readonly max: number;
}
export type IndexAtom = IndexVar | FloorDiv | Modulo | IndexValue;

export interface Term {
  readonly atom: IndexAtom;
  /** A whole number, not 0. */
  readonly factor: number;
  readonly key: string;
}
export interface Index {
  readonly terms: readonly Term[];
  readonly constant: number;
  /** Bounds of the value; sound, not always tight. */
  readonly min: number;
  readonly max: number;
  /** Equal for equal indices. */
  readonly key: string;
  /** Whether it is a sum over loop variables alone: no quotients, no remainders, no run-time values. */
  readonly isAffine: boolean;
}

let nextVar = 0;
export const indexVar = (name: string, extent: number): IndexVar => ({ kind: "var", id: nextVar++, name, extent });

const atomKey = (a: IndexAtom): string => {
  switch (a.kind) {
    case "var":
      return `v${a.id}`;
    case "value":
      return `e${a.expr.id}`;
    case "div":
      return `(${a.of.key}/${a.by})`;
    case "mod":
      return `(${a.of.key}%${a.by})`;
  }
};
const leastOf = (a: IndexAtom): number =>
  a.kind === "value" ? a.min : a.kind === "div" ? Math.floor(a.of.min / a.by) : 0;
function mostOf(a: IndexAtom): number {
  switch (a.kind) {
    case "var":
      return Math.max(0, a.extent - 1);
    case "value":
      return a.max;
    case "div":
      return Math.floor(a.of.max / a.by);
    case "mod":
      return a.by - 1;
  }
}
/** The least value of a term. */
export const leastOfTerm = ({ atom, factor }: Pick<Term, "atom" | "factor">): number =>
  factor * (factor > 0 ? leastOf(atom) : mostOf(atom));

function make(terms: readonly Term[], sum: number): Index {
  // There is no −0 among whole numbers.
  const constant = sum + 0;
  let min = constant;
  let max = constant;
  let key = "";
  let isAffine = true;
  for (let i = 0; i < terms.length; i++) {
    const { atom, factor, key: k } = terms[i]!;
    const least = factor * leastOf(atom);
    const most = factor * mostOf(atom);
    min += Math.min(least, most);
    max += Math.max(least, most);
    key += `${factor}*${k}+`;
    isAffine &&= atom.kind === "var";
  }
  return { terms, constant, min, max, key: `${key}${constant}`, isAffine };
}

const small = Array.from({ length: 16 }, (_, i) => make([], i));
export const constantIndex = (n: number): Index => small[n] ?? make([], n);
export const zeroIndex: Index = /* @__PURE__ */ constantIndex(0);
export const isConstantIndex = (x: Index): boolean => x.terms.length === 0;

const term = (atom: IndexAtom, factor: number, key: string): Term => ({ atom, factor, key });
const ofAtom = (atom: IndexAtom): Index => make([term(atom, 1, atomKey(atom))], 0);
const variables = new WeakMap<IndexVar, Index>();
/** The index that is a loop variable; the constant 0 where the loop runs once. */
export function varIndex(v: IndexVar): Index {
  if (v.extent === 1) return zeroIndex;
  let x = variables.get(v);
  if (!x) variables.set(v, (x = ofAtom(v)));
  return x;
}
/** A run-time value; the caller vouches for the range. */
export const valueIndex = (expr: Expr, min: number, max: number): Index =>
  expr.kind === "const"
    ? constantIndex(expr.value)
    : expr.kind === "index"
      ? expr.index
      : ofAtom({ kind: "value", expr, min, max });

/** Sums two lists of terms in the order of their keys. */
function merged(x: readonly Term[], y: readonly Term[]): Term[] {
  const out: Term[] = [];
  let i = 0;
  let j = 0;
  while (i < x.length && j < y.length) {
    const a = x[i]!;
    const b = y[j]!;
    if (a.key === b.key) {
      if (a.factor + b.factor !== 0) out.push(term(a.atom, a.factor + b.factor, a.key));
      i++;
      j++;
    } else if (a.key < b.key) {
      out.push(a);
      i++;
    } else {
      out.push(b);
      j++;
    }
  }
  while (i < x.length) out.push(x[i++]!);
  while (j < y.length) out.push(y[j++]!);
  return out;
}

/** A sum with n·(x div n) + (x mod n) put together to x. */
function rejoined(terms: readonly Term[], constant: number): Index {
  for (const t of terms) {
    if (t.atom.kind !== "mod") continue;
    const { of, by } = t.atom;
    const whole = floorDiv(of, by);
    // x div n may itself be a sum; only a single atom can be found again among the terms.
    if (whole.terms.length !== 1 || whole.constant !== 0 || whole.terms[0]!.factor !== 1) continue;
    const q = terms.find(({ key }) => key === whole.terms[0]!.key);
    if (q?.factor !== t.factor * by) continue;
    const others = terms.filter((o) => o !== t && o !== q);
    return add(rejoined(others, constant), scale(of, t.factor));
  }
  return make(terms, constant);
}

export function add(x: Index, y: Index): Index {
  if (x.terms.length === 0) return x.constant === 0 ? y : make(y.terms, y.constant + x.constant);
  if (y.terms.length === 0) return y.constant === 0 ? x : make(x.terms, x.constant + y.constant);
  const terms = merged(x.terms, y.terms);
  const constant = x.constant + y.constant;
  return x.isAffine && y.isAffine ? make(terms, constant) : rejoined(terms, constant);
}
export const addConstant = (x: Index, n: number): Index => (n === 0 ? x : make(x.terms, x.constant + n));
export function scale(x: Index, by: number): Index {
  if (by === 1) return x;
  if (by === 0) return zeroIndex;
  return make(
    x.terms.map((t) => term(t.atom, t.factor * by, t.key)),
    x.constant * by,
  );
}
/** x in two parts: the terms that `f` picks with the constant, and the others. */
export function splitTerms(x: Index, f: (t: Term) => boolean): { readonly picked: Index; readonly others: Index } {
  const picked = x.terms.filter(f);
  if (picked.length === x.terms.length) return { picked: x, others: zeroIndex };
  return {
    picked: make(picked, x.constant),
    others: make(
      x.terms.filter((t) => !picked.includes(t)),
      0,
    ),
  };
}
export const subtract = (x: Index, y: Index): Index => add(x, scale(y, -1));

const modulus = (n: number, by: number): number => n - by * Math.floor(n / by);
const gcd = (a: number, b: number): number => {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
};

/** x = by · whole + rest, where the terms of `rest` are those whose factors `by` does not divide. */
function splitBy(x: Index, by: number): { whole: Index; rest: Index } {
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const t of x.terms)
    if (t.factor % by === 0) whole.push(term(t.atom, t.factor / by, t.key));
    else rest.push(t);
  const constant = modulus(x.constant, by);
  return { whole: make(whole, (x.constant - constant) / by), rest: make(rest, constant) };
}

/** A g > 1 that divides `by`, with x = g · a + r and 0 ≤ r < g: then x div by = a div (by/g), x mod by = g (a mod by/g) + r. */
function commonFactor(x: Index, by: number): { g: number; a: Index; r: Index } | null {
  for (const t of x.terms) {
    const g = gcd(t.factor, by);
    if (g === 1) continue;
    const { whole, rest } = splitBy(x, g);
    if (whole.terms.length > 0 && rest.min >= 0 && rest.max < g) return { g, a: whole, r: rest };
  }
  return null;
}

/** The quotient rounded down, by a positive constant. */
export function floorDiv(x: Index, by: number): Index {
  if (by <= 1) return by === 1 ? x : zeroIndex;
  if (x.terms.length === 0) return constantIndex(Math.floor(x.constant / by));
  const { whole, rest } = splitBy(x, by);
  if (rest.min >= 0 && rest.max < by) return whole;
  if (whole.terms.length > 0 || whole.constant !== 0) return add(whole, floorDiv(rest, by));
  const common = commonFactor(x, by);
  if (common) return floorDiv(common.a, by / common.g);
  const only = x.terms.length === 1 && x.constant === 0 && x.terms[0]!.factor === 1 ? x.terms[0]!.atom : null;
  if (only?.kind === "div") return floorDiv(only.of, only.by * by);
  if (only?.kind === "mod" && only.by % by === 0) return modulo(floorDiv(only.of, by), only.by / by);
  const low = Math.floor(x.min / by);
  if (low === Math.floor(x.max / by)) return constantIndex(low);
  return ofAtom({ kind: "div", of: x, by });
}

/** The remainder in [0, by), by a positive constant. */
export function modulo(x: Index, by: number): Index {
  if (by <= 1) return zeroIndex;
  if (x.terms.length === 0) return constantIndex(modulus(x.constant, by));
  const { rest } = splitBy(x, by);
  if (rest.min >= 0 && rest.max < by) return rest;
  const common = commonFactor(rest, by);
  if (common) return add(scale(modulo(common.a, by / common.g), common.g), common.r);
  const low = Math.floor(rest.min / by);
  if (low === Math.floor(rest.max / by)) return addConstant(rest, -low * by);
  const only =
    rest.terms.length === 1 && rest.constant === 0 && rest.terms[0]!.factor === 1 ? rest.terms[0]!.atom : null;
  if (only?.kind === "mod" && only.by % by === 0) return modulo(only.of, by);
  return ofAtom({ kind: "mod", of: rest, by });
}

/** The row-major position of an element. */
export function flatIndex(index: readonly Index[], shape: Shape): Index {
  const strides = stridesOf(shape);
  let flat = zeroIndex;
  for (let i = 0; i < index.length; i++) if (shape[i] !== 1) flat = add(flat, scale(index[i]!, strides[i]!));
  return flat;
}

/** The element at a row-major position, within bounds. */
export function unflatten(flat: Index, shape: Shape): Index[] {
  const strides = stridesOf(shape);
  const size = sizeOf(shape);
  return shape.map((n, i) => {
    if (n === 1) return zeroIndex;
    const q = floorDiv(flat, Math.max(1, strides[i]!));
    // The first axis longer than 1 needs no remainder: positions are less than the size.
    return strides[i]! * n >= size && flat.min >= 0 && flat.max < size ? q : modulo(q, Math.max(1, n));
  });
}

// ---------------------------------------------------------------- questions and substitution

/** Calls `f` for every variable and run-time value that an index depends on. */
export function visitAtoms(x: Index, f: (atom: IndexVar | IndexValue) => void): void {
  for (let i = 0; i < x.terms.length; i++) {
    const { atom } = x.terms[i]!;
    if (atom.kind === "var" || atom.kind === "value") f(atom);
    else visitAtoms(atom.of, f);
  }
}
/** Calls `f` for every run-time value in an index. */
export function visitValues(x: Index, f: (e: Expr) => void): void {
  if (x.isAffine) return;
  for (const { atom } of x.terms)
    if (atom.kind === "value") f(atom.expr);
    else if (atom.kind !== "var") visitValues(atom.of, f);
}

/** The factor of a variable, if the index is affine in it: it occurs in no quotient or remainder. Null otherwise. */
export function factorOf(x: Index, v: IndexVar): number | null {
  let factor = 0;
  for (const t of x.terms)
    if (t.atom === v) factor = t.factor;
    else if ((t.atom.kind === "div" || t.atom.kind === "mod") && mentions(t.atom.of, v)) return null;
  return factor;
}

/** Whether a variable occurs, not looking into run-time values. */
export const mentions = (x: Index, v: IndexVar): boolean =>
  x.terms.some(({ atom }) => atom === v || ((atom.kind === "div" || atom.kind === "mod") && mentions(atom.of, v)));

/** Replaces atoms; those for which `f` gives null stay. Simplifies again. */
export function substitute(x: Index, f: (atom: IndexVar | IndexValue) => Index | null): Index {
  // Most often nothing changes, or one term. Sums are costly to make.
  const kept: Term[] = [];
  let changed = zeroIndex;
  for (let i = 0; i < x.terms.length; i++) {
    const t = x.terms[i]!;
    const by = replacement(t.atom, f);
    if (by === null) kept.push(t);
    else changed = add(changed, scale(by, t.factor));
  }
  return kept.length === x.terms.length ? x : add(make(kept, x.constant), changed);
}
function replacement(atom: IndexAtom, f: (atom: IndexVar | IndexValue) => Index | null): Index | null {
  if (atom.kind === "var" || atom.kind === "value") return f(atom);
  const of = substitute(atom.of, f);
  return of === atom.of ? null : atom.kind === "div" ? floorDiv(of, atom.by) : modulo(of, atom.by);
}

/** The value of an index. */
export function evaluateIndex(x: Index, value: (atom: IndexVar | IndexValue) => number): number {
  let n = x.constant;
  for (const { atom, factor } of x.terms)
    n +=
      factor *
      (atom.kind === "var" || atom.kind === "value"
        ? value(atom)
        : atom.kind === "div"
          ? Math.floor(evaluateIndex(atom.of, value) / atom.by)
          : modulus(evaluateIndex(atom.of, value), atom.by));
  return n;
}

/** As text: `4*i + j + 2`. */
export function printIndex(x: Index, value: (e: Expr) => string = (e) => `%${e.id}`): string {
  const atom = (a: IndexAtom): string => {
    switch (a.kind) {
      case "var":
        return a.name;
      case "value":
        return value(a.expr);
      case "div":
        return `(${printIndex(a.of, value)}) / ${a.by}`;
      case "mod":
        return `(${printIndex(a.of, value)}) % ${a.by}`;
    }
  };
  const parts = x.terms.map(({ atom: a, factor }) => {
    const text = a.kind === "div" || a.kind === "mod" ? `(${atom(a)})` : atom(a);
    return factor === 1 ? text : `${factor}*${text}`;
  });
  if (x.constant !== 0 || parts.length === 0) parts.push(String(x.constant));
  return parts.join(" + ");
}
