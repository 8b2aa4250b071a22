/**
 * Products with weights that are exponentials of another product, normalised by sums over the same row: attention, by its
 * form. A row of weights need never exist as a whole, because
 *
 *     Σ exp(s(k) − M) w(k) = exp(m − M) Σ exp(s(k) − m) w(k)
 *
 * for whatever M is the same for the whole row: sums are kept for the largest m met so far, and scaled by exp(m − m′) when
 * a larger m′ is met (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). M, the denominator and
 * everything else of the row are computed once it has ended, from the sums as the program wrote them, so that a row of −∞
 * or with NaN gives what the program says.
 *
 * This module finds the form in a kernel into which the weights and the scores were pulled; schedules run it.
 */
import { type IndexVar, indexVar, varIndex } from "../../core/indexing.ts";
import {
  type Expr,
  type Local,
  type Reduction,
  binary,
  f32,
  newLocal,
  readLocal,
  reduced,
  times,
  unary,
} from "../../core/scalar.ts";
import type { FusedKernel, FusedStore } from "../fusedKernel.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";
import { Sharer } from "../loopNest/share.ts";
import { Dependencies } from "./scopes.ts";

/** Σ exp(s(k) − m) · weight(k) · values(k) over the keys k. */
export interface WeightedSum {
  /** Stands for the sum in `stores`. */
  readonly local: Local;
  /** Null for 1. */
  readonly weight: Expr | null;
  /** What depends on columns; null for a sum that is the row's. */
  readonly values: Expr | null;
}

export interface OnlineProduct {
  readonly kernel: FusedKernel;
  /** The rows of the kernel: those that scores and values share, those of the scores, those of the values. */
  readonly around: readonly IndexVar[];
  readonly rows: readonly IndexVar[];
  readonly columns: readonly IndexVar[];
  /** Variables of the sums. */
  readonly keys: readonly IndexVar[];
  /** The product that scores are made of: Σ left · right over `depth`; `right` is the factor of the keys. */
  readonly depth: readonly IndexVar[];
  readonly left: Expr;
  readonly right: Expr;
  /** The score s(k), in terms of the product, for which `product` stands. */
  readonly score: Expr;
  readonly product: Local;
  /** Stands for the largest score of a row in `stores`. */
  readonly largest: Local;
  readonly sums: readonly WeightedSum[];
  /** The kernel's stores, in terms of the sums and the largest score. */
  readonly stores: readonly FusedStore[];
}

/** The least number: what is subtracted from scores that are all −∞, so that their exponentials are 0. */
export const lowest = /* @__PURE__ */ f32(-3.4028234663852886e38);

/** Finds the form. @param kernel with math functions as they are: they are part of it. */
export const onlineProductOf = (kernel: FusedKernel): OnlineProduct | null => new Search(kernel).run();

/** A product, taken apart by how its factors depend on the key. */
interface Factors {
  /** x of the factor exp(x). */
  exponent: Expr | null;
  /** Factors that depend on the key. */
  readonly weights: Expr[];
  /** What happens to the sum afterwards. */
  readonly after: ((sum: Expr) => Expr)[];
}

class Search {
  readonly #kernel: FusedKernel;
  readonly #sharer = new Sharer();
  readonly #dependencies = new Dependencies();
  readonly #keys: IndexVar[] = [];
  readonly #columns = new Set<IndexVar>();
  /** Values of reductions over the keys, in terms of locals. */
  readonly #values = new Map<Reduction, Expr>();
  readonly #largest = newLocal("largest", "f32");
  readonly #sums: WeightedSum[] = [];
  /** Variables that stand for those of the scores' product, wherever it was pulled. */
  readonly #depth = new Map<string, IndexVar>();
  #score: Expr | null = null;
  #isFound = true;

  constructor(kernel: FusedKernel) {
    this.#kernel = kernel;
  }

  run(): OnlineProduct | null {
    const { stores, rows } = this.#kernel;
    const outer = topReductions(stores.map((s) => s.value));
    const [first] = outer;
    if (!first || stores.some((s) => s.inner.length > 0)) return null;
    this.#keys.push(...first.vars);
    if (this.#keys.some((v) => v.extent === 1)) return null;
    for (const v of rows) if (this.#isColumn(v, outer)) this.#columns.add(v);
    const pulled = stores.map((s) => ({ ...s, value: this.#inKeys(s.value, []) }));
    return this.#isFound ? this.#result(pulled) : null;
  }

  /** A column is a row variable of the result that no score depends on: none of the reductions inside the sums. */
  #isColumn(v: IndexVar, outer: readonly Reduction[]): boolean {
    const inner = outer.flatMap((r) => topReductions(r.body));
    return !inner.some((r) => this.#dependencies.ofReduction(r).has(v));
  }

  /** An expression with the keys for the variables of the sum around it, and reductions over keys by their values. */
  #inKeys(e: Expr, vars: readonly IndexVar[]): Expr {
    const depth = new Map<IndexVar, IndexVar>();
    const rewriter: Rewriter = new Rewriter({
      variable: (v) => {
        const key = vars.indexOf(v);
        const to = key >= 0 ? this.#keys[key] : depth.get(v);
        return to ? varIndex(to) : null;
      },
      loops: (list) => list.map((v) => depth.get(v) ?? v),
      expr: (x) => {
        if (x.kind !== "reduced") return null;
        const free = this.#dependencies.ofReduction(x.reduction);
        if (!vars.some((v) => free.has(v))) return this.#valueOf(x.reduction);
        x.reduction.vars.forEach((v, i) => depth.set(v, this.#depthVar(i, v)));
        return null;
      },
    });
    return this.#sharer.expr(rewriter.expr(e));
  }
  #depthVar(i: number, { extent }: IndexVar): IndexVar {
    const key = `${i}:${extent}`;
    let v = this.#depth.get(key);
    if (!v) this.#depth.set(key, (v = indexVar(`d${i}`, extent)));
    return v;
  }

  /** The value of a reduction over the keys. */
  #valueOf(r: Reduction): Expr {
    let value = this.#values.get(r);
    if (!value) this.#values.set(r, (value = this.#find(r) ?? this.#notFound(r)));
    return value;
  }
  #notFound(r: Reduction): Expr {
    this.#isFound = false;
    return reduced(r, 0);
  }

  #find({ vars, combine, types, init, body }: Reduction): Expr | null {
    const overKeys = vars.length === this.#keys.length && vars.every((v, i) => v.extent === this.#keys[i]!.extent);
    if (!overKeys || types[0] !== "f32" || (combine !== "max" && combine !== "add")) return null;
    if (init[0] !== (combine === "max" ? -Infinity : 0)) return null;
    const element = this.#inKeys(body[0]!, vars);
    if (!this.#isFound) return null;
    if (combine === "max") return this.#isScore(element) ? readLocal(this.#largest) : null;
    const factors: Factors = { exponent: null, weights: [], after: [] };
    if (!this.#takeApart(element, factors) || !factors.exponent) return null;
    const score = this.#scoreIn(factors.exponent);
    if (!score || !this.#isScore(score)) return null;
    const [values, weights] = [true, false].map((is) =>
      factors.weights.filter((w) => [...this.#columns].some((v) => this.#has(w, v)) === is),
    );
    const sum = this.#sum(productOf(weights!), productOf(values!));
    // What the program subtracts from the scores, in place of what the sum had subtracted.
    const atLargest = new Rewriter({ expr: (e) => (e === score ? readLocal(this.#largest) : null) });
    const scaled = times(sum, unary("exp", atLargest.expr(factors.exponent)));
    return this.#sharer.expr(factors.after.reduceRight((x, f) => f(x), scaled));
  }

  #sum(weight: Expr | null, values: Expr | null): Expr {
    const [w, v] = [weight && this.#sharer.expr(weight), values && this.#sharer.expr(values)];
    let sum = this.#sums.find((s) => s.weight === w && s.values === v);
    if (!sum) this.#sums.push((sum = { local: newLocal("sum", "f32"), weight: w, values: v }));
    return readLocal(sum.local);
  }

  /** Whether an expression is the score, which is that of the first exponential or largest element. */
  #isScore(e: Expr): boolean {
    this.#score ??= this.#isSimple(e) && this.#dependsOnKeys(e) ? e : null;
    return this.#score === e;
  }
  /** The score in an exponent: what is left of it without terms that the whole row has. */
  #scoreIn(exponent: Expr): Expr | null {
    if (this.#isSimple(exponent)) return exponent;
    if (exponent.kind !== "binary") return null;
    const { op, x, y } = exponent;
    if ((op === "sub" || op === "add") && !this.#dependsOnKeys(y)) return this.#scoreIn(x);
    return op === "add" && !this.#dependsOnKeys(x) ? this.#scoreIn(y) : null;
  }

  /** Takes a product apart; false if it is not of the form. */
  #takeApart(e: Expr, into: Factors): boolean {
    if (!this.#dependsOnKeys(e)) {
      into.after.push((sum) => times(sum, e));
      return true;
    }
    if (e.kind === "unary" && e.op === "exp" && !into.exponent) {
      into.exponent = e.x;
      return true;
    }
    if (e.kind === "binary" && e.op === "mul") return this.#takeApart(e.x, into) && this.#takeApart(e.y, into);
    if (e.kind === "binary" && e.op === "div" && !this.#dependsOnKeys(e.y)) {
      into.after.push((sum) => binary("div", sum, e.y));
      return this.#takeApart(e.x, into);
    }
    if (!this.#isSimple(e)) return false;
    into.weights.push(e);
    return true;
  }

  #has = (e: Expr, v: IndexVar): boolean => this.#dependencies.of(e).has(v);
  #dependsOnKeys = (e: Expr): boolean => this.#keys.some((v) => this.#has(e, v));
  /** Whether an expression needs nothing of the row as a whole. */
  #isSimple(e: Expr): boolean {
    let isSimple = true;
    visitExprs([e], (x) => void (isSimple &&= x.kind !== "local"));
    return isSimple;
  }

  #result(stores: readonly FusedStore[]): OnlineProduct | null {
    const score = this.#score;
    const withValues = this.#sums.filter((s) => s.values);
    const factors = this.#sums.flatMap((s) => [s.weight, s.values].filter(isExpr));
    const inner = score && topReductions(factors).length === 0 ? topReductions([score]) : [];
    const [found, ...others] = inner;
    const body = found?.body[0];
    if (!score || withValues.length !== 1 || !found || others.length > 0 || found.combine !== "add") return null;
    if (body?.kind !== "binary" || body.op !== "mul" || body.type !== "f32") return null;
    if (topReductions(found.body).length > 0) return null;
    const [left, right] = this.#dependsOnKeys(body.x) ? [body.y, body.x] : [body.x, body.y];
    if (this.#dependsOnKeys(left)) return null;
    const values = withValues[0]!.values!;
    const { rows: all } = this.#kernel;
    const columns = all.filter((v) => this.#columns.has(v) && this.#has(values, v));
    const rows = all.filter((v) => !columns.includes(v) && !this.#has(values, v) && !this.#has(right, v));
    const around = all.filter((v) => !columns.includes(v) && !rows.includes(v));
    const ofRow = [score, ...this.#sums.map((s) => s.weight).filter(isExpr)];
    if (columns.some((v) => ofRow.some((e) => this.#has(e, v)))) return null;
    const local = newLocal("product", "f32");
    const placed = new Rewriter({
      expr: (e) => (e.kind === "reduced" && e.reduction === found ? readLocal(local) : null),
    });
    return {
      kernel: this.#kernel,
      around,
      rows,
      columns,
      keys: this.#keys,
      depth: found.vars,
      left,
      right,
      score: placed.expr(score),
      product: local,
      largest: this.#largest,
      sums: this.#sums,
      stores,
    };
  }
}

const isExpr = (e: Expr | null): e is Expr => e !== null;
const productOf = ([first, ...others]: readonly Expr[]): Expr | null => (first ? others.reduce(times, first) : null);

/** Reductions in expressions that are in no other, once each. */
function topReductions(roots: readonly Expr[]): Reduction[] {
  const found = new Set<Reduction>();
  const inner = new Set<Reduction>();
  visitExprs(roots, (e) => {
    if (e.kind === "reduced") found.add(e.reduction);
  });
  for (const r of found)
    visitExprs(r.body, (e) => {
      if (e.kind === "reduced") inner.add(e.reduction);
    });
  return [...found].filter((r) => !inner.has(r));
}
