/**
 * Scalar expressions as WGSL text. Values used more than once in a nest get a name where they are first evaluated, and keep
 * it until the scope ends or something they read is written. Quotients and remainders of loop variables are named at the
 * head of the scope whose variable they need, which takes them out of inner loops.
 */
import type { Index, IndexAtom, IndexVar } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import type { Binary, Buffer, Compare, Convert, Expr, Load, Local, Unary } from "../../core/scalar.ts";
import { inOrder } from "./indexOrder.ts";
import { Opacity } from "./opacity.ts";
import { notEqualText } from "./quirks.ts";
import type { Reads } from "./sharing.ts";
import type { WgslFunction } from "./wgslFunctions.ts";
import { binaryOperators, compareOperators, unaryFunctions } from "./wgslOperators.ts";

/** Deeper expressions are cut by names: parsers refuse very deep ones, and people cannot read them. */
const MAX_DEPTH = 12;
const MAX_RECURSION = 256;

export interface Names {
  variable(v: IndexVar): string;
  local(l: Local): string;
  /** The variable that holds a buffer, and its element type, which differs from the buffer's where two share a binding. */
  buffer(b: Buffer): { readonly name: string; readonly type: string };
}

/** A statement list being written. Lines of the head come first. */
export interface Scope {
  readonly head: string[];
  readonly lines: string[];
  /** The loop variable bound by this scope, if any. */
  readonly variables: Set<IndexVar>;
  readonly values: Map<Expr, string>;
  readonly indices: Map<string, string>;
}
export const newScope = (variables: Iterable<IndexVar> = []): Scope => ({
  head: [],
  lines: [],
  variables: new Set(variables),
  values: new Map(),
  indices: new Map(),
});

interface Text {
  readonly text: string;
  readonly depth: number;
}
const leaf = (text: string): Text => ({ text, depth: 0 });

/** Without the parentheses around the whole of it; but `f(a < b, c > d)` would be read as a template. */
export function bare(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")") || text.includes(" < ")) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    depth += text[i] === "(" ? 1 : text[i] === ")" ? -1 : 0;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}
const call = (f: string, ...args: readonly string[]): string => `${f}(${args.map(bare).join(", ")})`;
const isNaNText = (x: string): string => `((bitcast<u32>(${bare(x)}) & 0x7fffffffu) > 0x7f800000u)`;
const conversions: Readonly<Partial<Record<string, WgslFunction>>> = {
  "f32 i32": "to_i32",
  "f32 u32": "to_u32",
  "u32 f32": "from_u32",
};

export class Expressions {
  readonly functions = new Set<WgslFunction>();
  readonly scopes: Scope[] = [];
  /** Whether the text reads the uniform `zero`, other than in functions. */
  readsZero = false;
  readonly #names: Names;
  readonly #reads: Reads;
  /** Whether comparisons with NaN must be decided on the bits (see selfCheck.ts). */
  readonly #guardComparisons: boolean;
  readonly #opacity = new Opacity();
  #temporaries = 0;

  constructor(names: Names, reads: Reads, guardComparisons: boolean) {
    this.#names = names;
    this.#reads = reads;
    this.#guardComparisons = guardComparisons;
  }

  get #scope(): Scope {
    return this.scopes[this.scopes.length - 1]!;
  }

  /** The text of a value at the end of the innermost scope. */
  value(e: Expr): string {
    for (const x of this.#reads.landings(e, MAX_RECURSION)) this.#named(x);
    return this.#expr(e).text;
  }
  index(x: Index): string {
    return this.#index(x).text;
  }
  /** Notes what an immutable local stands for. */
  bind(local: Local, value: Expr): void {
    this.#opacity.bind(local, value);
  }
  /** Forgets values that read one of the places just written. */
  forget(written: ReadonlySet<Buffer | Local>): void {
    if (written.size === 0) return;
    for (const { values } of this.scopes)
      for (const e of values.keys()) for (const place of this.#reads.of(e)) if (written.has(place)) values.delete(e);
  }

  #expr(e: Expr): Text {
    if (e.kind === "const") return leaf(this.#constant(e.type, e.value));
    if (e.kind === "local") return leaf(this.#names.local(e.local));
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const known = this.scopes[i]!.values.get(e);
      if (known !== undefined) return leaf(known);
    }
    const text = this.#compute(e);
    if (text.depth === 0 || (!this.#reads.isShared(e) && text.depth < MAX_DEPTH)) return text;
    return this.#name(e, text);
  }

  /** A value whose text is written more than once. */
  #named(e: Expr): Text {
    const text = this.#expr(e);
    return text.depth === 0 ? text : this.#name(e, text);
  }
  #name(e: Expr, { text }: Text): Text {
    const name = `t${this.#temporaries++}`;
    this.#scope.lines.push(`let ${name} = ${bare(text)};`);
    this.#scope.values.set(e, name);
    return leaf(name);
  }

  #compute(e: Exclude<Expr, { kind: "const" | "local" }>): Text {
    switch (e.kind) {
      case "index":
        return this.#index(e.index);
      case "load":
        return this.#load(e);
      case "unary":
        return this.#unary(e);
      case "binary":
        return this.#binary(e);
      case "compare":
        return this.#compare(e);
      case "select": {
        const parts = [e.y, e.x, e.condition].map((x) => this.#expr(x));
        return join(parts, call("select", ...parts.map((p) => p.text)));
      }
      case "convert":
        return this.#convert(e);
      case "bitcast": {
        // A constant would be folded into a NaN, which is an error.
        if (e.x.kind === "const" && e.type === "f32") return leaf(this.#bits(e.x.value >>> 0));
        return this.#wrap(`bitcast<${checked(e.type)}>`, e.x);
      }
      case "reduced":
        return unreachable("a reduction was not made into loops");
    }
  }

  #load(e: Load): Text {
    const { name, type } = this.#names.buffer(e.buffer);
    const index = this.#index(e.index);
    const text = `${name}[${bare(index.text)}]`;
    return { text: type === e.type ? text : call(`bitcast<${e.type}>`, text), depth: index.depth + 1 };
  }

  #wrap(f: string, ...args: readonly Expr[]): Text {
    const parts = args.map((x) => this.#expr(x));
    return join(parts, call(f, ...parts.map((p) => p.text)));
  }
  #call(f: WgslFunction, ...args: readonly Expr[]): Text {
    this.functions.add(f);
    return this.#wrap(f, ...args);
  }
  /** An operand that no compiler sees through. */
  #opaque(x: Text): Text {
    this.functions.add("opaque");
    return join([x], call("opaque", x.text));
  }

  #unary(e: Unary): Text {
    const name = unaryFunctions[e.op];
    if (name !== undefined) return this.#wrap(name, e.x);
    const x = this.#expr(e.x);
    switch (e.op) {
      case "neg":
        return join([x], e.type === "u32" ? `(0u - ${x.text})` : `(-${x.text})`);
      case "not":
        return join([x], e.type === "bool" ? `(!${x.text})` : `(~${x.text})`);
      case "isNaN":
        return join([x], isNaNText(x.text));
      default:
        return unreachable(`${e.op} was not expanded`);
    }
  }

  #binary(e: Binary): Text {
    const { op, type, x, y } = e;
    if (type === "f32") return this.#float(e);
    if (type === "bool" && (op === "min" || op === "max"))
      return this.#binary({ ...e, op: op === "min" ? "and" : "or" });
    if (op === "min" || op === "max") return this.#wrap(op, x, y);
    const operator = binaryOperators[op] ?? unreachable(`${op} was not expanded`);
    const [a, b] = [this.#expr(x), this.#expr(y)];
    if (type === "bool" && op === "xor") return join([a, b], `(${a.text} != ${b.text})`);
    if (op !== "shl" && op !== "shr") return join([a, b], `(${a.text} ${operator} ${b.text})`);
    if (y.kind === "const") return join([a], `(${a.text} ${operator} ${y.value & 31}u)`);
    const count = y.type === "u32" ? b.text : call("u32", b.text);
    return join([a, b], `(${a.text} ${operator} (${count} & 31u))`);
  }

  #float(e: Binary): Text {
    const { op, x, y } = e;
    if (op === "rem") return this.#call("rem_f32", x, y);
    if (op === "min" || op === "max") return this.#extremum(op, x, y);
    const operator = op === "add" || op === "sub" || op === "mul" || op === "div" ? binaryOperators[op]! : null;
    if (operator === null) return unreachable(`${op} of floats was not expanded`);
    const { left, right } = this.#opacity.of(e);
    const operand = (z: Expr, hide: boolean): Text =>
      !hide ? this.#expr(z) : z.kind === "const" ? leaf(this.#bits(bitsOf(z.value))) : this.#opaque(this.#expr(z));
    const [a, b] = [operand(x, left), operand(y, right)];
    return join([a, b], `(${a.text} ${operator} ${b.text})`);
  }

  /** NaN if either is; −0 is less than 0. */
  #extremum(op: "min" | "max", x: Expr, y: Expr): Text {
    if (x.kind === "const" && y.kind !== "const") return this.#extremum(op, y, x);
    if (y.kind !== "const" || !Number.isFinite(y.value)) return this.#call(op === "max" ? "max_f32" : "min_f32", x, y);
    // Equal values differ only as zeros do: then the constant is taken if it is the right one.
    const strict = y.value === 0 && Object.is(y.value, -0) === (op === "min");
    const operator = `${op === "max" ? ">" : "<"}${strict ? "" : "="}`;
    const [a, b] = [this.#named(x), this.#expr(y)];
    return join([a, b], `select(${b.text}, ${a.text}, (${a.text} ${operator} ${b.text}) | ${isNaNText(a.text)})`);
  }

  #compare({ op, x, y }: Compare): Text {
    const operator = compareOperators[op];
    if (x.type === "bool" && op !== "eq" && op !== "ne") {
      const [a, b] = [this.#expr(x), this.#expr(y)];
      return join([a, b], `(${call("u32", a.text)} ${operator} ${call("u32", b.text)})`);
    }
    if (x.type !== "f32") {
      const [a, b] = [this.#expr(x), this.#expr(y)];
      return join([a, b], `(${a.text} ${operator} ${b.text})`);
    }
    if (!this.#guardComparisons) {
      const [a, b] = [this.#expr(x), this.#expr(y)];
      return join([a, b], op === "ne" ? notEqualText(a.text, b.text) : `(${a.text} ${operator} ${b.text})`);
    }
    const [a, b] = [this.#named(x), this.#named(y)];
    const nan = [x, y].flatMap((z, i) => (isNumber(z) ? [] : [isNaNText([a, b][i]!.text)]));
    const plain = `(${a.text} ${op === "ne" ? "==" : operator} ${b.text})`;
    const holds = nan.length === 0 ? plain : `(${plain} & !(${nan.join(" | ")}))`;
    return join([a, b], op === "ne" ? `(!${holds})` : holds);
  }

  #convert({ type, x }: Convert): Text {
    const a = this.#expr(x);
    if (type === "bool") {
      if (x.type === "f32") return join([a], `((bitcast<u32>(${bare(a.text)}) & 0x7fffffffu) != 0u)`);
      return join([a], `(${a.text} != ${x.type === "i32" ? "0i" : "0u"})`);
    }
    const special = conversions[`${x.type} ${type}`];
    if (special) {
      this.functions.add(special);
      return join([a], call(special, a.text));
    }
    checked(x.type);
    return join([a], call(checked(type), a.text));
  }

  #bits(bits: number): string {
    this.readsZero = true;
    return bits === 0 ? "bitcast<f32>(zero.x)" : `bitcast<f32>(0x${bits.toString(16)}u | zero.x)`;
  }
  #constant(type: string, v: number): string {
    switch (type) {
      case "bool":
        return v ? "true" : "false";
      case "u32":
        return `${v}u`;
      case "i32":
        return v === -2147483648 ? "i32(-2147483648)" : v < 0 ? `(${v}i)` : `${v}i`;
      case "f32": {
        // Constants that WGSL has no literal for, or that compilers may take for another.
        const plain = v === 0 ? !Object.is(v, -0) : Number.isFinite(v) && Math.abs(v) >= 2 ** -126;
        return !plain ? this.#bits(bitsOf(v)) : v < 0 ? `(${v}f)` : `${v}f`;
      }
      default:
        return unreachable(`WGSL has no ${type}`);
    }
  }

  // -------------------------------------------------------------- indices

  #index(x: Index): Text {
    let text = "";
    const single = x.terms.length === 1 && x.constant === 0 && x.terms[0]!.factor === 1;
    let depth = single ? 0 : 1;
    for (const { atom, factor } of inOrder(x.terms, this.#names.variable)) {
      const a = this.#atom(atom);
      depth = Math.max(depth, a.depth + Number(!single));
      const size = Math.abs(factor);
      const term = size === 1 ? a.text : `${a.text} * ${size}i`;
      text += text === "" ? (factor < 0 ? `-${term}` : term) : `${factor < 0 ? " - " : " + "}${term}`;
    }
    if (text === "") return leaf(x.constant < 0 ? `(${x.constant}i)` : `${x.constant}i`);
    if (x.constant !== 0) text += ` ${x.constant < 0 ? "-" : "+"} ${Math.abs(x.constant)}i`;
    return { text: single ? text : `(${text})`, depth };
  }

  #atom(a: IndexAtom): Text {
    if (a.kind === "var") return leaf(this.#names.variable(a));
    if (a.kind === "value") return this.#expr(a.expr);
    const key = `${a.kind}${a.by}:${a.of.key}`;
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const known = this.scopes[i]!.indices.get(key);
      if (known !== undefined) return leaf(known);
    }
    const at = this.#home(a.of);
    // Run-time values are where they are; their quotients stay with them.
    if (at === null) return this.#quotient(a);
    const scopes = this.scopes.splice(this.scopes.indexOf(at) + 1);
    const { text } = this.#quotient(a);
    this.scopes.push(...scopes);
    const name = `t${this.#temporaries++}`;
    at.head.push(`let ${name} = ${bare(text)};`);
    at.indices.set(key, name);
    return leaf(name);
  }

  /** The outermost scope in which all variables of an index are bound; null if it needs more than variables. */
  #home(x: Index): Scope | null {
    let depth = 0;
    const visit = (y: Index): boolean =>
      y.terms.every(({ atom }) => {
        if (atom.kind === "value") return false;
        if (atom.kind !== "var") return visit(atom.of);
        let at = this.scopes.length - 1;
        while (at > 0 && !this.scopes[at]!.variables.has(atom)) at--;
        depth = Math.max(depth, at);
        return true;
      });
    return visit(x) ? this.scopes[depth]! : null;
  }

  #quotient(a: Exclude<IndexAtom, { kind: "var" | "value" }>): Text {
    const of = this.#index(a.of);
    const { by } = a;
    const power = 31 - Math.clz32(by);
    // Shifts and masks round down for negative numbers too.
    if (by === 2 ** power)
      return join([of], a.kind === "div" ? `(${of.text} >> ${power}u)` : `(${of.text} & ${by - 1}i)`);
    if (a.of.min >= 0) return join([of], `i32(u32(${bare(of.text)}) ${a.kind === "div" ? "/" : "%"} ${by}u)`);
    this.functions.add("floor_div");
    const quotient = call("floor_div", of.text, `${by}i`);
    return join([of], a.kind === "div" ? quotient : `(${of.text} - ${quotient} * ${by}i)`);
  }
}

const join = (parts: readonly Text[], text: string): Text => ({
  text,
  depth: parts.reduce((n, p) => Math.max(n, p.depth), 0) + 1,
});
const word = new DataView(new ArrayBuffer(4));
function bitsOf(v: number): number {
  word.setFloat32(0, v);
  return word.getUint32(0);
}
/** Whether an expression is certainly not NaN. */
const isNumber = (e: Expr): boolean =>
  (e.kind === "const" && !Number.isNaN(e.value)) || (e.kind === "convert" && e.x.type !== "f32");
const checked = (type: string): string => (type === "f64" ? unreachable("WGSL has no f64") : type);
