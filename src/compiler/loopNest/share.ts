/** Structural sharing: equal expressions become one object. */
import type { Index } from "../../core/indexing.ts";
import type { Expr, Reduction } from "../../core/scalar.ts";
import { Rewriter } from "./rewrite.ts";

/** Rebuilds expressions so that equal ones, within all that one sharer has seen, are the same object. */
export class Sharer {
  readonly #exprs = new Map<string, Expr>();
  readonly #reductions = new Map<string, Reduction>();
  readonly #functions = new Map<unknown, number>();
  readonly #rewriter = new Rewriter({
    rebuilt: (e) => firstOf(this.#exprs, keyOf(e), e),
    rebuiltReduction: (r) => firstOf(this.#reductions, this.#keyOfReduction(r), r),
  });

  expr(e: Expr): Expr {
    return this.#rewriter.expr(e);
  }
  index(x: Index): Index {
    return this.#rewriter.index(x);
  }

  #keyOfReduction(r: Reduction): string {
    const combine = typeof r.combine === "string" ? r.combine : this.#functionId(r.combine);
    return `${r.vars.map((v) => v.id).join()};${combine};${r.init.map(textOf).join()};${r.body.map((b) => b.id).join()}`;
  }
  #functionId(f: unknown): string {
    let id = this.#functions.get(f);
    if (id === undefined) this.#functions.set(f, (id = this.#functions.size));
    return `f${id}`;
  }
}

function firstOf<T>(known: Map<string, T>, key: string, x: T): T {
  const first = known.get(key);
  if (first === undefined) known.set(key, x);
  return first ?? x;
}

/** Tells the zeros apart. */
const textOf = (v: number): string => (Object.is(v, -0) ? "-0" : String(v));

/** Equal for equal expressions whose operands are shared. */
function keyOf(e: Expr): string {
  switch (e.kind) {
    case "const":
      return `${e.type}${textOf(e.value)}`;
    case "local":
      return `l${e.local.id}`;
    case "index":
      return `i${e.index.key}`;
    case "load":
      return `m${e.buffer.id},${e.index.key}`;
    case "unary":
      return `${e.op} ${e.x.id}`;
    case "convert":
      return `c${e.type} ${e.x.id}`;
    case "bitcast":
      return `r${e.type} ${e.x.id}`;
    case "binary":
      return `${e.op}${e.contracts ? "~" : ""} ${e.x.id} ${e.y.id}`;
    case "compare":
      return `${e.op} ${e.x.id} ${e.y.id}`;
    case "select":
      return `s${e.condition.id} ${e.x.id} ${e.y.id}`;
    case "reduced":
      return `R${e.reduction.id}.${e.lane}`;
  }
}
