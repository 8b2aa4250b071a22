/**
 * Which operands must be hidden from the driver. WGSL allows compilers to rearrange floating-point arithmetic as if numbers
 * were real, and they do: `x * 0` becomes 0, `x - x` becomes 0, `(x + y) - y` becomes x, on every software adapter tried,
 * for NaN and infinity too. An operand that went through the function `opaque` (one exclusive or with a uniform that is 0)
 * cannot be matched by such rules. Only operations of these shapes pay for it.
 */
import type { Binary, Expr, Local } from "../../core/scalar.ts";

const none = { left: false, right: false };

export class Opacity {
  readonly #keys = new Map<Expr, number>();
  readonly #numbers = new Map<string, number>();
  readonly #locals = new Map<Local, Expr>();

  bind(local: Local, value: Expr): void {
    this.#locals.set(local, value);
  }

  /** Which operands of an operation on floats to hide. */
  of({ op, x, y }: Binary): { readonly left: boolean; readonly right: boolean } {
    if (op !== "add" && op !== "sub" && op !== "mul" && op !== "div") return none;
    const [a, b] = [this.#seen(x), this.#seen(y)];
    // 0 + x is 0 for x = −0; 0 · x and 0 / x may be NaN. But x − 0 is x.
    if (isZero(a)) return { left: true, right: false };
    if (isZero(b) && op !== "sub") return { left: false, right: true };
    if (op === "mul" || op === "div") {
      const root = a.kind === "unary" && a.op === "sqrt";
      const same = this.#key(a) === this.#key(b);
      return { left: this.#scaled(a, b), right: (same && (op === "div" || root)) || this.#scaled(b, a) };
    }
    const [p, q] = [this.#unsigned(a), this.#unsigned(b)];
    if (this.#key(p) === this.#key(q)) return { left: false, right: true };
    return { left: this.#holds(p, q), right: this.#holds(q, p) };
  }

  /** Whether `p` is a sum or difference in which `q`, or another constant when `q` is one, occurs. */
  #holds(p: Expr, q: Expr): boolean {
    if (p.kind !== "binary" || (p.op !== "add" && p.op !== "sub")) return false;
    return [p.x, p.y].some((term) => {
      const t = this.#unsigned(this.#seen(term));
      return (t.kind === "const" && q.kind === "const") || this.#key(t) === this.#key(q);
    });
  }
  /** Whether `p` is a multiple by a constant or a quotient that multiplication by `q` would undo. */
  #scaled(p: Expr, q: Expr): boolean {
    if (p.kind !== "binary" || (p.op !== "mul" && p.op !== "div")) return false;
    return [p.x, p.y].some((factor) => {
      const f = this.#seen(factor);
      return (f.kind === "const" && q.kind === "const") || this.#key(f) === this.#key(q);
    });
  }

  #seen(e: Expr): Expr {
    let x = e;
    while (x.kind === "local") {
      const value = this.#locals.get(x.local);
      if (!value) return x;
      x = value;
    }
    return x;
  }
  #unsigned(e: Expr): Expr {
    return e.kind === "unary" && e.op === "neg" ? this.#unsigned(this.#seen(e.x)) : e;
  }

  /** Equal for expressions that are computed in the same way. */
  #key(e: Expr): number {
    const known = this.#keys.get(e);
    if (known !== undefined) return known;
    const text = this.#text(this.#seen(e));
    let n = this.#numbers.get(text);
    if (n === undefined) this.#numbers.set(text, (n = this.#numbers.size));
    this.#keys.set(e, n);
    return n;
  }
  #text(e: Expr): string {
    switch (e.kind) {
      case "const":
        return `${e.type} ${Object.is(e.value, -0) ? "-0" : e.value}`;
      case "index":
        return `index ${e.index.key}`;
      case "load":
        return `load ${e.buffer.id} ${e.index.key}`;
      case "local":
        return `local ${e.local.id}`;
      case "unary":
        return `${e.op} ${this.#key(e.x)}`;
      case "binary":
      case "compare":
        return `${e.op} ${this.#key(e.x)} ${this.#key(e.y)}`;
      case "select":
        return `select ${this.#key(e.condition)} ${this.#key(e.x)} ${this.#key(e.y)}`;
      case "convert":
      case "bitcast":
        return `${e.kind} ${e.type} ${this.#key(e.x)}`;
      case "reduced":
        return `reduced ${e.id}`;
    }
  }
}

const isZero = (e: Expr): boolean => e.kind === "const" && e.value === 0;
