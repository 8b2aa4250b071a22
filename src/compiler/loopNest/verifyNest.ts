/**
 * The rules that every loop nest keeps. A broken one is a bug of the pass that made the nest; the error names the place.
 *
 * Scopes: loop variables are used inside their loop, locals after the statement that binds them and inside its body;
 * only declared locals are assigned. Vector loops hold no other loops than serial and unrolled ones, assign no local
 * declared outside, and their iterations must not depend on each other (which is not checked). Block loops stand in the
 * nest's body or directly in a block loop, at most 3 deep. In a nest with thread loops, whatever stores or assigns does so
 * inside one; around them stand only block loops (alone in their body but for lets), serial and unrolled loops, ifs, lets
 * and barriers. Call loops run once, assign no local declared outside, hold no barrier, and stand in no nest with thread
 * loops.
 */
import { type Index, type IndexVar, visitAtoms } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import {
  type BinaryOp,
  type Buffer,
  type Expr,
  type Local,
  type ScalarType,
  type UnaryOp,
  loadedType,
  readLocal,
} from "../../core/scalar.ts";
import { type For, type LoopNest, type Stmt, visitStmts } from "./loopNest.ts";

/** Where a statement stands. */
interface Place {
  readonly path: string;
  readonly blocks: number;
  readonly thread: boolean;
  readonly vector: boolean;
  /** How many call loops are around. */
  readonly calls: number;
  /** Whether only block loops are around. */
  readonly outermost: boolean;
}

/** Throws an InternalError if the nest breaks a rule. */
export function verifyNest(nest: LoopNest): void {
  new Verifier(nest).run();
}

const isFloat = (t: ScalarType): boolean => t === "f32" || t === "f64";
const isWhole = (t: ScalarType): boolean => t === "i32" || t === "u32";

function takes(op: UnaryOp | BinaryOp, t: ScalarType): boolean {
  switch (op) {
    case "not":
    case "and":
    case "or":
    case "xor":
      return isWhole(t) || t === "bool";
    case "clz":
    case "popcount":
    case "shl":
    case "shr":
      return isWhole(t);
    case "neg":
    case "abs":
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "rem":
      return t !== "bool";
    case "min":
    case "max":
      return true;
    default:
      return isFloat(t);
  }
}

class Verifier {
  readonly #nest: LoopNest;
  readonly #buffers = new Map<Buffer, "read" | "write" | "readwrite">();
  readonly #variables = new Set<IndexVar>();
  /** Locals in scope, with where they were bound. */
  readonly #locals = new Map<Local, Place>();
  #threads = 0;
  /** Expressions found right in the current scope. */
  #checked = new Set<Expr>();

  constructor(nest: LoopNest) {
    this.#nest = nest;
  }

  run(): void {
    const { params, scratch, body, name } = this.#nest;
    for (const { buffer, access } of params) {
      if (buffer.space !== "device") this.#fail(name, `parameter ${buffer.name} is ${buffer.space} scratch`);
      this.#addBuffer(buffer, access);
    }
    for (const buffer of scratch) {
      if (buffer.space === "device") this.#fail(name, `scratch ${buffer.name} is a device buffer`);
      this.#addBuffer(buffer, "readwrite");
    }
    visitStmts(body, (s) => {
      if (s.kind !== "for" || s.loop !== "thread") return;
      if (this.#threads !== 0 && this.#threads !== s.variable.extent)
        this.#fail(name, `thread loops of ${this.#threads} and ${s.variable.extent} iterations`);
      this.#threads = s.variable.extent;
    });
    this.#body(body, { path: name, blocks: 0, thread: false, vector: false, calls: 0, outermost: true });
  }

  #addBuffer(buffer: Buffer, access: "read" | "write" | "readwrite"): void {
    if (this.#buffers.has(buffer)) this.#fail(this.#nest.name, `buffer ${buffer.name} is listed twice`);
    this.#buffers.set(buffer, access);
  }

  #fail(path: string, what: string): never {
    unreachable(`loop nest ${path}: ${what}`);
  }

  #body(body: readonly Stmt[], at: Place): void {
    const mine: Local[] = [];
    const checked = this.#checked;
    for (const [i, s] of body.entries()) {
      const here: Place = { ...at, path: `${at.path}[${i}]` };
      // Bindings of an outer body stay valid in an inner one, so what was found right outside stays right.
      this.#checked = new Set(checked);
      this.#statement(s, here, body);
      if (s.kind === "let" || s.kind === "declare") {
        this.#locals.set(s.local, here);
        mine.push(s.local);
      }
    }
    for (const local of mine) this.#locals.delete(local);
    this.#checked = checked;
  }

  #statement(s: Stmt, at: Place, siblings: readonly Stmt[]): void {
    const works = this.#threads === 0 || at.thread;
    switch (s.kind) {
      case "for":
        return this.#for(s, at, siblings);
      case "if":
        this.#value(s.condition, "bool", at);
        return this.#body(s.body, { ...at, outermost: false });
      case "barrier":
        if (at.thread || at.vector || at.calls > 0)
          this.#fail(at.path, "a barrier inside a thread, vector or call loop");
        return;
      case "let":
      case "declare":
        if (this.#locals.has(s.local)) this.#fail(at.path, `local ${s.local.name} is bound twice`);
        if (s.local.mutable !== (s.kind === "declare"))
          this.#fail(at.path, `${s.kind} of a local (${s.local.name}) that is ${s.local.mutable ? "" : "not "}mutable`);
        if (s.kind === "declare" && !works) this.#fail(at.path, `${s.local.name} is declared outside of thread loops`);
        return this.#value(s.value, s.local.type, at);
      case "assign": {
        const declared = this.#locals.get(s.local);
        if (!declared) this.#fail(at.path, `local ${s.local.name} is assigned outside of its scope`);
        if (!s.local.mutable) this.#fail(at.path, `local ${s.local.name} is assigned but not mutable`);
        if (at.vector && !declared.vector)
          this.#fail(at.path, `local ${s.local.name}, declared outside, is assigned in a vector loop`);
        if (at.calls !== declared.calls)
          this.#fail(at.path, `local ${s.local.name}, declared outside, is assigned in a call loop`);
        return this.#value(s.value, s.local.type, at);
      }
      case "store": {
        const access = this.#buffers.get(s.buffer);
        if (!access) this.#fail(at.path, `buffer ${s.buffer.name} is not of this nest`);
        if (access === "read") this.#fail(at.path, `store to ${s.buffer.name}, which is only read`);
        if (!works) this.#fail(at.path, `store to ${s.buffer.name} outside of thread loops`);
        this.#access(s.buffer, s.index, at);
        return this.#value(s.value, loadedType(s.buffer.storage), at);
      }
    }
  }

  #for(s: For, at: Place, siblings: readonly Stmt[]): void {
    const v = s.variable;
    const path = `${at.path} for ${v.name}`;
    if (!Number.isInteger(v.extent) || v.extent < 0) this.#fail(path, `extent ${v.extent}`);
    if (this.#variables.has(v)) this.#fail(path, "a loop around it has the same variable");
    if (at.vector && s.loop !== "serial" && s.loop !== "unroll") this.#fail(path, `a ${s.loop} loop in a vector loop`);
    if (s.loop === "block") {
      if (!at.outermost) this.#fail(path, "a block loop inside another kind of loop");
      if (at.blocks === 3) this.#fail(path, "more than 3 block loops");
      if (this.#threads !== 0 && siblings.some((o) => o !== s && o.kind !== "let"))
        this.#fail(path, "other work beside a block loop, in a nest with thread loops");
    }
    if (s.count) {
      if (s.loop !== "serial") this.#fail(path, `a ${s.loop} loop with a count`);
      if (s.count.mutable || s.count.type !== "i32") this.#fail(path, "its count is not an immutable i32");
      this.#value(readLocal(s.count), "i32", at);
    }
    if (s.loop === "call" && v.extent !== 1) this.#fail(path, `a call loop of ${v.extent} iterations`);
    if (s.loop === "call" && this.#threads !== 0) this.#fail(path, "a call loop in a nest with thread loops");
    if (s.loop === "thread" && at.thread) this.#fail(path, "a thread loop in a thread loop");
    if (s.loop === "vector" && this.#threads !== 0 && !at.thread) this.#fail(path, "a vector loop around thread loops");
    this.#variables.add(v);
    this.#body(s.body, {
      path,
      blocks: at.blocks + Number(s.loop === "block"),
      thread: at.thread || s.loop === "thread",
      vector: at.vector || s.loop === "vector",
      calls: at.calls + Number(s.loop === "call"),
      outermost: at.outermost && s.loop === "block",
    });
    this.#variables.delete(v);
  }

  #access(buffer: Buffer, index: Index, at: Place): void {
    if (!this.#buffers.has(buffer)) this.#fail(at.path, `buffer ${buffer.name} is not of this nest`);
    if (buffer.space === "private" && this.#threads !== 0 && !at.thread)
      this.#fail(at.path, `private ${buffer.name} is used outside of thread loops`);
    if (index.min >= buffer.length || index.max < 0)
      this.#fail(
        at.path,
        `${buffer.name} has ${buffer.length} elements; the index is within ${index.min} … ${index.max}`,
      );
    this.#index(index, at);
  }

  #index(x: Index, at: Place): void {
    visitAtoms(x, (a) => {
      if (a.kind === "value") this.#value(a.expr, "i32", at);
      else if (!this.#variables.has(a)) this.#fail(at.path, `loop variable ${a.name} is used outside of its loop`);
    });
  }

  #value(e: Expr, type: ScalarType, at: Place): void {
    if (e.type !== type) this.#fail(at.path, `${e.kind} of type ${e.type}, expected ${type}`);
    if (this.#checked.has(e)) return;
    this.#checked.add(e);
    const operand = (x: Expr, t: ScalarType): void => this.#value(x, t, at);
    const typed = (t: ScalarType): void => {
      if (e.type !== t) this.#fail(at.path, `${e.kind} gives ${t} but is typed ${e.type}`);
    };
    switch (e.kind) {
      case "const":
        return;
      case "index":
        typed("i32");
        return this.#index(e.index, at);
      case "load":
        typed(loadedType(e.buffer.storage));
        if (this.#buffers.get(e.buffer) === "write") this.#fail(at.path, `${e.buffer.name} is only written`);
        return this.#access(e.buffer, e.index, at);
      case "unary":
        typed(e.op === "isNaN" ? "bool" : e.x.type);
        if (!takes(e.op, e.x.type)) this.#fail(at.path, `${e.op} of ${e.x.type}`);
        return operand(e.x, e.x.type);
      case "binary":
        if (!takes(e.op, e.type)) this.#fail(at.path, `${e.op} of ${e.type}`);
        operand(e.x, e.type);
        return operand(e.y, e.type);
      case "compare":
        typed("bool");
        operand(e.x, e.x.type);
        return operand(e.y, e.x.type);
      case "select":
        operand(e.condition, "bool");
        operand(e.x, e.type);
        return operand(e.y, e.type);
      case "convert":
        return operand(e.x, e.x.type);
      case "bitcast":
        for (const t of [e.type, e.x.type])
          if (t === "bool" || t === "f64") this.#fail(at.path, `bitcast between ${e.x.type} and ${e.type}`);
        return operand(e.x, e.x.type);
      case "local":
        typed(e.local.type);
        if (!this.#locals.has(e.local)) this.#fail(at.path, `local ${e.local.name} is read outside of its scope`);
        return;
      case "reduced":
        this.#fail(at.path, "a reduction that scheduling left");
    }
  }
}
