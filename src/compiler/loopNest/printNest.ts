/**
 * Loop nests as text, for people and as keys of compiled kernels. Nests that differ only in identities have the same text:
 * variables, locals and buffers are named in the order in which they appear, sums are ordered by those names.
 *
 *     kernel(a0: f32[128] read, a1: f32[128] write)
 *     for i0 in 0..128 block:
 *       a1[i0] = exp(a0[i0])
 */
import { type Index, type IndexAtom, type IndexVar, visitValues } from "../../core/indexing.ts";
import { type Buffer, type Expr, type Local, eachOperand } from "../../core/scalar.ts";
import type { LoopNest, Stmt } from "./loopNest.ts";

const symbols: Readonly<Partial<Record<string, string>>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/** The text of a nest, without its name. Expressions used more than once in a statement get a line of their own. */
export function printNest(nest: LoopNest): string {
  return new Printer().nest(nest);
}

class Printer {
  readonly #lines: string[] = [];
  readonly #buffers = new Map<Buffer, string>();
  readonly #variables = new Map<IndexVar, string>();
  readonly #locals = new Map<Local, string>();
  #shared = 0;
  #indent = "";
  /** Expressions that a line above names, in the current statement. */
  #named = new Map<Expr, string>();
  #uses = new Map<Expr, number>();

  nest({ params, scratch, body }: LoopNest): string {
    const list = params.map(({ buffer, access }) => `${this.#declare(buffer, "a")} ${access}`);
    this.#lines.push(`kernel(${list.join(", ")})`);
    for (const b of scratch) this.#lines.push(`${b.space} ${this.#declare(b, "s")}`);
    this.#body(body);
    return this.#lines.join("\n");
  }

  #declare(b: Buffer, prefix: string): string {
    const name = nameIn(this.#buffers, b, prefix);
    return `${name}: ${b.storage}[${b.length}]`;
  }

  #line(text: string): void {
    this.#lines.push(this.#indent + text);
  }

  #body(body: readonly Stmt[]): void {
    for (const s of body) this.#statement(s);
  }

  #inside(body: readonly Stmt[]): void {
    const indent = this.#indent;
    this.#indent += "  ";
    this.#body(body);
    this.#indent = indent;
  }

  #statement(s: Stmt): void {
    this.#named = new Map();
    this.#uses = new Map();
    switch (s.kind) {
      case "for": {
        const rounds = s.count ? `${nameIn(this.#locals, s.count, "t")} of ${s.variable.extent}` : s.variable.extent;
        this.#line(`for ${nameIn(this.#variables, s.variable, "i")} in 0..${rounds} ${s.loop}:`);
        return this.#inside(s.body);
      }
      case "if":
        this.#count(s.condition);
        this.#line(`if ${this.#value(s.condition)}:`);
        return this.#inside(s.body);
      case "barrier":
        return this.#line("barrier");
      case "store": {
        visitValues(s.index, (x) => this.#count(x));
        this.#count(s.value);
        const value = this.#value(s.value);
        return this.#line(`${this.#place(s.buffer, s.index)} = ${value}`);
      }
      default: {
        this.#count(s.value);
        const value = this.#value(s.value);
        const name = nameIn(this.#locals, s.local, "t");
        return this.#line(s.kind === "assign" ? `${name} = ${value}` : `${s.kind} ${name}: ${s.local.type} = ${value}`);
      }
    }
  }

  #count(e: Expr): void {
    const n = this.#uses.get(e) ?? 0;
    this.#uses.set(e, n + 1);
    if (n > 0) return;
    eachOperand(e, (x) => this.#count(x));
    if (e.kind === "reduced") for (const x of e.reduction.body) this.#count(x);
  }

  #value(e: Expr): string {
    const known = this.#named.get(e);
    if (known) return known;
    const text = this.#text(e);
    if ((this.#uses.get(e) ?? 0) < 2 || e.kind === "const" || e.kind === "local") return text;
    const name = `e${this.#shared++}`;
    this.#line(`${name}: ${e.type} = ${text}`);
    this.#named.set(e, name);
    return name;
  }

  #text(e: Expr): string {
    switch (e.kind) {
      case "const":
        return `${Object.is(e.value, -0) ? "-0" : e.value}${e.type === "bool" ? "b" : e.type}`;
      case "index":
        return `[${this.#index(e.index)}]`;
      case "load":
        return this.#place(e.buffer, e.index);
      case "unary":
        return `${e.op}(${this.#value(e.x)})`;
      case "binary":
      case "compare": {
        const [x, y] = [this.#value(e.x), this.#value(e.y)];
        const symbol = symbols[e.op];
        return symbol ? `(${x} ${symbol} ${y})` : `${e.op}(${x}, ${y})`;
      }
      case "select": {
        const condition = this.#value(e.condition);
        const x = this.#value(e.x);
        return `select(${condition}, ${x}, ${this.#value(e.y)})`;
      }
      case "convert":
        return `${e.type}(${this.#value(e.x)})`;
      case "bitcast":
        return `bits.${e.type}(${this.#value(e.x)})`;
      case "local":
        return nameIn(this.#locals, e.local, "t");
      case "reduced": {
        const { vars, body, combine, init } = e.reduction;
        const op = typeof combine === "string" ? combine : "combine";
        const names = vars.map((v) => nameIn(this.#variables, v, "i")).join(", ");
        return `reduce.${e.lane}(${op}, [${init.join(", ")}], ${names}: ${body.map((b) => this.#value(b)).join(", ")})`;
      }
    }
  }

  #place(b: Buffer, index: Index): string {
    return `${nameIn(this.#buffers, b, "b")}[${this.#index(index)}]`;
  }

  #index(x: Index): string {
    const terms = x.terms.length > 1 ? [...x.terms].sort((a, b) => age(a.atom) - age(b.atom)) : x.terms;
    const parts = terms.map(({ atom, factor }) => {
      const text = this.#atom(atom);
      // By order of appearance: names end in a number.
      const order = atom.kind === "var" ? Number(text.slice(1)) : Infinity;
      return { order, text: factor === 1 ? text : `${factor}*${text}` };
    });
    parts.sort((a, b) => (a.order === b.order ? (a.text < b.text ? -1 : 1) : a.order - b.order));
    const texts = parts.map((p) => p.text);
    if (x.constant !== 0 || texts.length === 0) texts.push(String(x.constant));
    return texts.join(" + ");
  }

  #atom(a: IndexAtom): string {
    switch (a.kind) {
      case "var":
        return nameIn(this.#variables, a, "i");
      case "value":
        return this.#value(a.expr);
      case "div":
        return `((${this.#index(a.of)}) / ${a.by})`;
      case "mod":
        return `((${this.#index(a.of)}) % ${a.by})`;
    }
  }
}

function nameIn<K>(names: Map<K, string>, key: K, prefix: string): string {
  let name = names.get(key);
  if (!name) names.set(key, (name = prefix + names.size));
  return name;
}

/** When an atom was made, so that the order of naming does not hang on how numbers look as text. */
const age = (a: IndexAtom): number =>
  a.kind === "var" ? a.id : a.kind === "value" ? a.expr.id : Math.min(...a.of.terms.map((t) => age(t.atom)));
