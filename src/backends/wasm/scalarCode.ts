/**
 * Scalar expressions as wasm: one value on the stack, bool as 0 or 1 in an i32. Whatever a loop does not change is computed
 * before it; an expression used twice in a run of statements is computed once.
 */
import { unreachable } from "../../core/problem.ts";
import {
  type Buffer,
  type Expr,
  type Load,
  type Local,
  type ScalarType,
  type Select,
  type StorageType,
  storageBytes,
} from "../../core/scalar.ts";
import type { Base, Resolved } from "./addresses.ts";
import { simd, v128Type } from "./encoder.ts";
import { Operations, selectOp, valueTypeOf } from "./operations.ts";
import type { NestPlan, RegisterKind } from "./plan.ts";
import { Run } from "./run.ts";
import { type Dependence, dependence, independent, joined } from "./scopes.ts";

const dropOp = 0x1a;
const ifOp = 0x04;
const endOp = 0x0b;
const noResult = 0x40;
const anyTrue = simd(0x53);
const allTrue = simd(0xa3);
/** Loads and stores by what lies in memory. */
const loadOps: Readonly<Record<StorageType, number>> = {
  i8: 0x2c,
  u8: 0x2d,
  i16: 0x2e,
  u16: 0x2f,
  i32: 0x28,
  u32: 0x28,
  f32: 0x2a,
  f64: 0x2b,
};
const storeOps: Readonly<Record<StorageType, number>> = {
  i8: 0x3a,
  u8: 0x3a,
  i16: 0x3b,
  u16: 0x3b,
  i32: 0x36,
  u32: 0x36,
  f32: 0x38,
  f64: 0x39,
};
export const alignmentOf = (s: StorageType): number => 31 - Math.clz32(storageBytes[s]);

/** The wasm locals of a private buffer. */
export interface Registers {
  readonly kind: RegisterKind;
  readonly locals: readonly number[];
}
/** What stands for a local. */
export interface LocalBinding {
  readonly wasm: number;
  /** Whether it holds four lanes. */
  readonly vector: boolean;
  readonly at: Dependence;
}

export abstract class ScalarCode extends Operations {
  protected readonly locals = new Map<Local, LocalBinding>();
  protected readonly registers = new Map<Buffer, Registers>();
  protected readonly bases = new Map<Buffer, Base>();
  protected readonly plan: NestPlan;
  protected run: Run;
  /** What expressions of the run depend on, of those that were asked. */
  protected dependences = new Map<Expr, Dependence>();
  /** Results behind branches of the run, by condition. */
  protected branches = new Map<Expr, ReadonlyMap<Expr, number>>();

  constructor(params: number, plan: NestPlan, importFunction: (name: string, operands: number) => number) {
    super(params, importFunction);
    this.plan = plan;
    this.run = new Run([], plan.stored);
  }

  /** Forgets what it knows of expressions: it is true of one run only. */
  protected startRun(): void {
    if (this.dependences.size > 0) this.dependences = new Map();
    if (this.branches.size > 0) this.branches = new Map();
  }

  protected base(buffer: Buffer): Base {
    return this.bases.get(buffer) ?? unreachable(`buffer ${buffer.name} is not of this nest`);
  }

  // -------------------------------------------------------------- dependence

  dependence(e: Expr): Dependence {
    let known = this.dependences.get(e);
    if (!known) this.dependences.set(e, (known = this.#dependence(e)));
    return known;
  }
  #dependence(e: Expr): Dependence {
    switch (e.kind) {
      case "const":
        return independent;
      case "index":
        return this.indexDependence(e.index);
      case "load": {
        const at = joined(this.indexDependence(e.index), dependence(this.guard()));
        if (!this.plan.stored.has(e.buffer)) return at;
        const depth = this.changedIn(({ stored }) => stored.has(e.buffer));
        const own = this.bases.get(e.buffer)?.perThread ? this.indexDependence(this.thread) : independent;
        return joined(joined(at, own), dependence(depth, 0, true));
      }
      case "local": {
        const { at } = this.locals.get(e.local) ?? unreachable(`local ${e.local.name} is not bound`);
        if (!e.local.mutable) return at;
        return joined(at, dependence(this.changedIn(({ assigned }) => assigned.has(e.local))));
      }
      case "unary":
      case "convert":
      case "bitcast":
        return this.dependence(e.x);
      case "binary": {
        const at = joined(this.dependence(e.x), this.dependence(e.y));
        const traps = (e.op === "div" || e.op === "rem") && (e.type === "i32" || e.type === "u32");
        return traps ? joined(at, dependence(this.guard())) : at;
      }
      case "compare":
        return joined(this.dependence(e.x), this.dependence(e.y));
      case "select":
        return joined(this.dependence(e.condition), joined(this.dependence(e.x), this.dependence(e.y)));
      case "reduced":
        return unreachable("a reduction reached code generation");
    }
  }

  /** Whether a local is as good a place as any for what the expression gives. */
  protected isLeaf(e: Expr): boolean {
    return e.kind === "const" || e.kind === "local" || (e.kind === "load" && this.registers.has(e.buffer));
  }

  // -------------------------------------------------------------- values

  /** Pushes four lanes. */
  abstract vector(e: Expr): void;

  scalar(e: Expr): void {
    if (this.isLeaf(e)) return this.#compute(e);
    const at = this.dependence(e);
    const loop = this.target(at);
    if (loop > 0) {
      this.code.get(this.hoistedScalar(e, loop));
      return;
    }
    const known = this.memo.get(e);
    if (known !== undefined) {
      this.code.get(known);
      return;
    }
    this.#compute(e);
    if (!this.run.isShared(e)) return;
    const local = this.temporary(valueTypeOf(e.type));
    this.code.tee(local);
    this.remember(this.memo, e, local, at.changes);
  }
  /** A local that holds the value, computed before a loop. */
  protected hoistedScalar(e: Expr, loop: number): number {
    return this.hoisted(e, loop, this.dependence(e), valueTypeOf(e.type), () => this.#compute(e));
  }

  #compute(e: Expr): void {
    const { code } = this;
    switch (e.kind) {
      case "const":
        if (e.type === "f32") code.f32(e.value);
        else if (e.type === "f64") code.f64(e.value);
        else code.i32(e.value);
        return;
      case "index":
        return this.pushIndex(this.resolve(e.index, -1));
      case "load":
        return this.#load(e);
      case "local":
        code.get(this.locals.get(e.local)!.wasm);
        return;
      case "unary":
        this.scalar(e.x);
        return this.applyUnary(e.op, e.x.type);
      case "binary":
        this.scalar(e.x);
        this.scalar(e.y);
        return this.applyBinary(e.op, e.type);
      case "compare":
        this.scalar(e.x);
        this.scalar(e.y);
        return this.applyCompare(e.op, e.x.type);
      case "select":
        return this.#select(e);
      case "convert":
        this.scalar(e.x);
        return this.applyConvert(e.x.type, e.type);
      case "bitcast":
        this.scalar(e.x);
        if (e.type === "f32") code.op(0xbe);
        else if (e.x.type === "f32") code.op(0xbc);
        return;
      case "reduced":
        unreachable("a reduction reached code generation");
    }
  }

  #select(e: Select): void {
    const { code } = this;
    const skip = this.branch(e, false);
    const push = (operand: Expr): void => {
      const known = skip?.get(operand);
      if (known === undefined) this.scalar(operand);
      else code.get(known);
    };
    push(e.x);
    push(e.y);
    this.scalar(e.condition);
    code.op(selectOp);
  }

  /**
   * If there is a part of the run that a select may not need and that takes long, writes a branch around it. Gives locals
   * that hold its results where they are needed, and anything elsewhere.
   */
  protected branch(e: Select, lanes: boolean): ReadonlyMap<Expr, number> | null {
    // Code before a loop is not written into the innermost scope, so it cannot have scopes of its own.
    if (this.top !== this.scopes.length - 1) return null;
    const known = this.branches.get(e.condition);
    if (known) return known;
    const skip = this.run.skip(e);
    if (!skip || (!lanes && skip.operands.some((x) => this.dependence(x).varies))) return null;
    const { code } = this;
    const push = (x: Expr): void => (lanes ? this.vector(x) : this.scalar(x));
    this.run.share(skip.condition);
    // Selects with the same condition that come up on the way, in what is shared or skipped, are computed as they are:
    // groups may need each other.
    this.branches.set(skip.condition, new Map<Expr, number>());
    for (const x of skip.shared) {
      if (this.isLeaf(x)) continue;
      if (this.dependence(x).varies) this.vector(x);
      else this.scalar(x);
      code.op(dropOp);
    }
    const results = new Map<Expr, number>();
    for (const x of skip.operands) results.set(x, this.temporary(lanes ? v128Type : valueTypeOf(x.type)));
    push(skip.condition);
    // Operands for lanes where the condition holds are not needed if it holds nowhere, the others if it holds everywhere.
    if (lanes) code.op(skip.ifTrue ? anyTrue : allTrue);
    if (!skip.ifTrue) code.op(0x45);
    code.op(ifOp).byte(noResult);
    const { memo, vectorMemo, branches } = this;
    this.memo = new Map(memo);
    this.vectorMemo = new Map(vectorMemo);
    this.branches = new Map(branches);
    this.open("if");
    for (const [x, local] of results) {
      push(x);
      code.set(local);
    }
    this.close();
    // What is computed here is unknown afterwards.
    this.memo = memo;
    this.vectorMemo = vectorMemo;
    this.branches = branches;
    code.op(endOp);
    this.branches.set(e.condition, results);
    return results;
  }

  #load(e: Load): void {
    const resolved = this.resolve(e.index, -1);
    const registers = this.registers.get(e.buffer);
    if (registers) this.readRegister(registers, resolved.constant, e.type);
    else this.loadScalar(e.buffer, resolved);
  }
  protected loadScalar(buffer: Buffer, at: Resolved): void {
    const offset = this.address(buffer, at);
    this.code.memory(loadOps[buffer.storage], alignmentOf(buffer.storage), offset);
  }
  /** Pushes one element of a private buffer. */
  protected abstract readRegister(registers: Registers, element: number, type: ScalarType): void;

  protected storeScalar(buffer: Buffer, offset: number): void {
    this.code.memory(storeOps[buffer.storage], alignmentOf(buffer.storage), offset);
  }
}
