/**
 * Expressions of vector loops as wasm: four lanes on the stack, bool as a mask of all ones or zeros. What is the same in all
 * lanes is computed as a scalar and spread; operations without a vector form run lane by lane.
 */
import { unreachable } from "../../core/problem.ts";
import type { Binary, BinaryOp, CompareOp, Const, Expr, Load, ScalarType, Select, UnaryOp } from "../../core/scalar.ts";
import { storageBytes } from "../../core/scalar.ts";
import { i32Type, simd, v128Type } from "./encoder.ts";
import { VectorMemory } from "./vectorMemory.ts";

/** Opcodes for i32, u32 and f32; 0 where there is none. */
const binaryOps: Readonly<Partial<Record<BinaryOp, readonly [number, number, number]>>> = {
  add: [0xae, 0xae, 0xe4],
  sub: [0xb1, 0xb1, 0xe5],
  mul: [0xb5, 0xb5, 0xe6],
  div: [0, 0, 0xe7],
  min: [0xb6, 0xb7, 0xe8],
  max: [0xb8, 0xb9, 0xe9],
  and: [0x4e, 0x4e, 0],
  or: [0x50, 0x50, 0],
  xor: [0x51, 0x51, 0],
};
const unaryOps: Readonly<Partial<Record<UnaryOp, readonly [number, number, number]>>> = {
  neg: [0xa1, 0xa1, 0xe1],
  abs: [0xa0, 0, 0xe0],
  sqrt: [0, 0, 0xe3],
  floor: [0, 0, 0x68],
  ceil: [0, 0, 0x67],
  trunc: [0, 0, 0x69],
  round: [0, 0, 0x6a],
};
const compareOps: Readonly<Record<CompareOp, readonly [number, number, number]>> = {
  eq: [0x37, 0x37, 0x41],
  ne: [0x38, 0x38, 0x42],
  lt: [0x39, 0x3a, 0x43],
  gt: [0x3b, 0x3c, 0x44],
  le: [0x3d, 0x3e, 0x45],
  ge: [0x3f, 0x40, 0x46],
};
const column = (t: ScalarType): number => (t === "f32" ? 2 : t === "u32" ? 1 : 0);

const and = simd(0x4e);

export abstract class VectorCode extends VectorMemory {
  /** Whether the engine has relaxed instructions for a product and a sum. */
  protected abstract readonly fusesProducts: boolean;

  vector(e: Expr): void {
    const { code } = this;
    if (e.kind === "local" && this.locals.get(e.local)!.vector) {
      code.get(this.locals.get(e.local)!.wasm);
      return;
    }
    if (e.kind === "load" && this.loadRegister(e)) return;
    const key = keyOf(e);
    const sharedLocal = e.kind === "local" && !e.local.mutable;
    const known = this.vectorMemo.get(key) ?? (sharedLocal ? this.known(key, v128Type) : undefined);
    if (known !== undefined) {
      code.get(known);
      return;
    }
    const zero = e.kind === "const" && Object.is(e.value, 0);
    const at = this.dependence(e);
    const loop = zero ? 0 : this.target(at);
    if (loop > 0) {
      code.get(this.hoisted(key, loop, at, v128Type, () => this.#computeVector(e)));
      return;
    }
    this.#computeVector(e);
    if (zero) return;
    if (sharedLocal) {
      // Other statements of the scope will want the same lanes.
      const local = this.scopedLocal(v128Type);
      code.tee(local);
      this.note(this.top, key, v128Type, local);
    } else if (this.run.isShared(e)) {
      const local = this.temporary(v128Type);
      code.tee(local);
      this.remember(this.vectorMemo, key, local, at.changes);
    }
  }

  // -------------------------------------------------------------- values

  #computeVector(e: Expr): void {
    const { code } = this;
    if (!this.dependence(e).varies) return this.#spread(e);
    switch (e.kind) {
      case "const":
      case "local":
      case "reduced":
        return unreachable(`${e.kind} varies`);
      case "index":
        return this.#index(e.index);
      case "load":
        return this.loadVector(e);
      case "unary":
        this.vector(e.x);
        return this.#unary(e.op, e.x.type);
      case "binary":
        if ((e.op === "shl" || e.op === "shr") && !this.dependence(e.y).varies) {
          this.vector(e.x);
          this.scalar(e.y);
          code.op(simd(e.op === "shl" ? 0xab : e.type === "i32" ? 0xac : 0xad));
          return;
        }
        if (this.#extremeByConstant(e) || this.#countsMask(e) || (e.contracts && this.#withProduct(e))) return;
        this.vector(e.x);
        this.vector(e.y);
        return this.#binary(e.op, e.type);
      case "compare":
        this.vector(e.x);
        this.vector(e.y);
        return this.#compare(e.op, e.x.type);
      case "select":
        return this.#select(e);
      case "convert":
        this.vector(e.x);
        return this.#convert(e.x.type, e.type);
      case "bitcast":
        return this.vector(e.x);
    }
  }

  #select(e: Select): void {
    const { code } = this;
    const { condition: c, x, y, type } = e;
    // x < y ? x : y is f32x4.pmin(y, x), and so on: one instruction.
    if (c.kind === "compare" && type === "f32" && (c.op === "lt" || c.op === "gt")) {
      const straight = isSame(c.x, x) && isSame(c.y, y);
      if (straight || (isSame(c.x, y) && isSame(c.y, x))) {
        this.vector(y);
        this.vector(x);
        code.op(simd((c.op === "lt") === straight ? 0xea : 0xeb));
        return;
      }
    }
    const skip = this.dependence(c).varies ? this.branch(e, true) : null;
    const push = (operand: Expr): void => {
      const known = skip?.get(operand);
      if (known === undefined) this.vector(operand);
      else code.get(known);
    };
    push(x);
    push(y);
    this.vector(c);
    code.op(simd(0x52));
  }
  /** A sum or difference with a product in it, in one instruction: false if it is none, or the engine has none. */
  #withProduct({ op, type, x, y }: Binary): boolean {
    if (!this.fusesProducts || type !== "f32" || (op !== "add" && op !== "sub")) return false;
    const isProduct = (e: Expr): e is Binary =>
      e.kind === "binary" && e.op === "mul" && !this.run.isShared(e) && this.dependence(e).varies;
    const [product, other] = isProduct(y) ? [y, x] : op === "add" && isProduct(x) ? [x, y] : [null, x];
    if (!product) return false;
    this.vector(product.x);
    this.vector(product.y);
    this.vector(other);
    this.code.op(simd(op === "add" ? 0x105 : 0x106));
    return true;
  }
  /** The greater or less of a number and a constant: f32x4.max and min take many instructions, for NaN and −0. */
  #extremeByConstant({ op, type, x, y }: Binary): boolean {
    const [constant, other] = x.kind === "const" ? [x, y] : [y, x];
    const { code } = this;
    if (type !== "f32" || (op !== "max" && op !== "min")) return false;
    if (constant.kind !== "const" || Number.isNaN(constant.value)) return false;
    // Of two zeros the first one is taken: max(−0, 0) is set right by adding 0, min(0, −0) is not.
    if (op === "min" && Object.is(constant.value, -0)) return false;
    this.vector(other);
    this.vector(constant);
    code.op(simd(op === "max" ? 0xeb : 0xea));
    if (op === "max" && Object.is(constant.value, 0)) code.lanes(0).op(simd(binaryOps.add![2]));
    return true;
  }

  /** A number plus 1 where a condition holds: a mask that holds is −1. */
  #countsMask({ op, type, x, y }: Binary): boolean {
    if (op !== "add" || type === "f32" || y.kind !== "convert" || y.x.type !== "bool" || this.run.isShared(y))
      return false;
    this.vector(x);
    this.vector(y.x);
    this.code.op(simd(binaryOps.sub![0]));
    return true;
  }

  #spread(e: Expr): void {
    if (e.kind === "const") {
      this.code.lanes(bitsOf(e));
    } else if (e.kind === "load" && this.#isPlainWord(e)) {
      const offset = this.address(e.buffer, this.resolve(e.index, -1));
      this.code.memory(simd(0x09), 2, offset);
    } else {
      this.scalar(e);
      this.splat(e.type);
    }
  }

  /** Whether a load of the same element for all lanes has an instruction of its own, and is not at hand already. */
  #isPlainWord(e: Load): boolean {
    if (storageBytes[e.buffer.storage] !== 4 || this.registers.has(e.buffer)) return false;
    return !this.memo.has(e) && this.known(e, i32Type) === undefined;
  }

  #unary(op: UnaryOp, type: ScalarType): void {
    const { code } = this;
    const direct = unaryOps[op]?.[column(type)];
    if (direct) {
      code.op(simd(direct));
      return;
    }
    switch (op) {
      case "abs":
        return;
      case "not":
        code.op(simd(0x4d));
        return;
      case "isNaN": {
        const x = this.temporary(v128Type);
        code.tee(x).get(x).op(simd(compareOps.ne[2]));
        return;
      }
      case "popcount":
        // In bytes, then added in pairs twice.
        code.op(simd(0x62)).op(simd(0x7d)).op(simd(0x7f));
        return;
      default: {
        const x = this.temporary(v128Type);
        code.set(x);
        this.fromLanes(type, (lane) => {
          code.get(x);
          this.extractLane(type, lane);
          this.applyUnary(op, type);
        });
      }
    }
  }

  #binary(op: BinaryOp, type: ScalarType): void {
    const { code } = this;
    // A mask is the greater, the more bits it has.
    const wanted = type === "bool" && op === "min" ? "and" : type === "bool" && op === "max" ? "or" : op;
    const direct = binaryOps[wanted]?.[column(type)];
    if (direct) {
      code.op(simd(direct));
      return;
    }
    const [x, y] = [this.temporary(v128Type), this.temporary(v128Type)];
    code.set(y).set(x);
    this.fromLanes(type, (lane) => {
      code.get(x);
      this.extractLane(type, lane);
      code.get(y);
      this.extractLane(type, lane);
      this.applyBinary(op, type);
    });
  }

  #compare(op: CompareOp, type: ScalarType): void {
    // A mask that holds is −1, less than one that does not.
    const reversed = { eq: "eq", ne: "ne", lt: "gt", gt: "lt", le: "ge", ge: "le" } as const;
    this.code.op(simd(compareOps[type === "bool" ? reversed[op] : op][column(type)]!));
  }

  #convert(from: ScalarType, to: ScalarType): void {
    const { code } = this;
    if (to === "bool") {
      code.lanes(0).op(simd(compareOps.ne[column(from)]!));
    } else if (from === "bool") {
      if (to === "f32") code.lanes(0x3f800000).op(and);
      else code.op(simd(unaryOps.neg![0]));
    } else if (from === "f32") code.op(simd(to === "i32" ? 0xf8 : 0xf9));
    else if (to === "f32") code.op(simd(from === "i32" ? 0xfa : 0xfb));
  }

  #index(index: Parameters<VectorCode["resolve"]>[0]): void {
    const { code } = this;
    const resolved = this.resolve(index, -1);
    if (resolved.irregular) {
      this.fromLanes("i32", (lane) => this.inLane(lane, () => this.pushIndex(this.resolve(index, lane))));
      return;
    }
    this.pushIndex(resolved);
    this.splat("i32");
    const { lane } = resolved;
    code.op(simd(0x0c));
    for (let i = 0; i < 4; i++) for (let b = 0; b < 4; b++) code.byte(((i * lane) >> (8 * b)) & 0xff);
    code.op(simd(binaryOps.add![0]));
  }
}

const scratch = new DataView(new ArrayBuffer(4));
/** The bits of a lane that holds a constant. */
function bitsOf({ type, value }: Const): number {
  if (type === "f32") scratch.setFloat32(0, value);
  else scratch.setInt32(0, type === "bool" ? -value : value);
  return scratch.getInt32(0);
}
const isSame = (a: Expr, b: Expr): boolean =>
  a === b || (a.kind === "local" && b.kind === "local" && a.local === b.local);
/** The same for expressions that give the same lanes: there may be many constants of one value. */
const keyOf = (e: Expr): unknown => (e.kind === "const" ? bitsOf(e) : e.kind === "local" ? e.local : e);
