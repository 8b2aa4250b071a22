/** Structural sharing: equal expressions become one object. */
import { type Index, substitute, valueIndex } from "../../core/indexing.ts";
import {
  type Expr,
  type Reduction,
  binary,
  bitcast,
  compare,
  convert,
  load,
  ofIndex,
  reduced,
  reduction,
  select,
  unary,
} from "../../core/scalar.ts";

/** Text that tells the zeros apart. */
const numberKey = (v: number): string => (Object.is(v, -0) ? "-0" : String(v));

/** Rebuilds expressions so that equal ones, within all that one sharer has seen, are the same object. */
export class Sharer {
  readonly #byKey = new Map<string, Expr>();
  readonly #reductions = new Map<string, Reduction>();
  readonly #done = new Map<Expr, Expr>();
  readonly #functions = new Map<unknown, number>();

  expr(e: Expr): Expr {
    let known = this.#done.get(e);
    if (!known) {
      const [key, make] = this.#describe(e);
      known = this.#byKey.get(key);
      if (!known) this.#byKey.set(key, (known = make()));
      this.#done.set(e, known);
    }
    return known;
  }

  index(x: Index): Index {
    return substitute(x, (a) => {
      if (a.kind === "var") return null;
      const e = this.expr(a.expr);
      return e === a.expr ? null : valueIndex(e, a.min, a.max);
    });
  }

  #describe(e: Expr): [string, () => Expr] {
    switch (e.kind) {
      case "const":
        return [`${e.type}${numberKey(e.value)}`, () => e];
      case "local":
        return [`l${e.local.id}`, () => e];
      case "index": {
        const x = this.index(e.index);
        const made = x === e.index ? e : ofIndex(x);
        // Values that turn out equal may cancel, and leave a constant or a single value.
        return made.kind === "index" ? [`i${x.key}`, () => made] : this.#describe(made);
      }
      case "load": {
        const x = this.index(e.index);
        return [`m${e.buffer.id},${x.key}`, () => (x === e.index ? e : load(e.buffer, x))];
      }
      case "unary": {
        const x = this.expr(e.x);
        return [`${e.op} ${x.id}`, () => (x === e.x ? e : unary(e.op, x))];
      }
      case "convert": {
        const x = this.expr(e.x);
        return [`c${e.type} ${x.id}`, () => (x === e.x ? e : convert(x, e.type))];
      }
      case "bitcast": {
        const x = this.expr(e.x);
        return [`r${e.type} ${x.id}`, () => (x === e.x ? e : bitcast(x, e.type))];
      }
      case "binary": {
        const [x, y] = [this.expr(e.x), this.expr(e.y)];
        return [`${e.op} ${x.id} ${y.id}`, () => (x === e.x && y === e.y ? e : binary(e.op, x, y))];
      }
      case "compare": {
        const [x, y] = [this.expr(e.x), this.expr(e.y)];
        return [`${e.op} ${x.id} ${y.id}`, () => (x === e.x && y === e.y ? e : compare(e.op, x, y))];
      }
      case "select": {
        const [c, x, y] = [this.expr(e.condition), this.expr(e.x), this.expr(e.y)];
        const same = c === e.condition && x === e.x && y === e.y;
        return [`s${c.id} ${x.id} ${y.id}`, () => (same ? e : select(c, x, y))];
      }
      case "reduced": {
        const r = this.#reduction(e.reduction);
        return [`R${r.id}.${e.lane}`, () => (r === e.reduction ? e : reduced(r, e.lane))];
      }
    }
  }

  #reduction(r: Reduction): Reduction {
    const body = r.body.map((b) => this.expr(b));
    const combine = typeof r.combine === "string" ? r.combine : this.#functionId(r.combine);
    const key = `${r.vars.map((v) => v.id).join()};${combine};${r.init.map(numberKey).join()};${body.map((b) => b.id).join()}`;
    let known = this.#reductions.get(key);
    if (!known) {
      const same = body.every((b, i) => b === r.body[i]);
      this.#reductions.set(key, (known = same ? r : reduction(r.vars, r.types, r.init, r.combine, body)));
    }
    return known;
  }
  #functionId(f: unknown): string {
    let id = this.#functions.get(f);
    if (id === undefined) this.#functions.set(f, (id = this.#functions.size));
    return `f${id}`;
  }
}
