/**
 * Expressions of vector loops as wasm: four lanes on the stack, bool as a mask of all ones or zeros. What is the same in all
 * lanes is computed as a scalar and spread; operations without a vector form run lane by lane.
 */
import { unreachable } from "../../core/problem.ts";
import type {
  Binary,
  BinaryOp,
  CompareOp,
  Const,
  Expr,
  Load,
  ScalarType,
  Select,
  StorageType,
  UnaryOp,
} from "../../core/scalar.ts";
import { storageBytes } from "../../core/scalar.ts";
import { i32Type, simd, v128Type } from "./encoder.ts";
import { type Registers, ScalarCode, alignmentOf } from "./scalarCode.ts";
import type { Store } from "../../compiler/loopNest/loopNest.ts";

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
const dropOp = 0x1a;
const ifOp = 0x04;
const elseOp = 0x05;
const endOp = 0x0b;
const bytesOfLanes = (...lanes: number[]): number[] => lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]);
/** Loads and stores of one lane, by the bytes of an element. */
const loadLaneOp = simd(0x56);
const storeLaneOps: Readonly<Record<number, number>> = { 1: simd(0x58), 2: simd(0x59), 4: simd(0x5a) };

export abstract class VectorCode extends ScalarCode {
  /** Pushes four lanes. */
  vector(e: Expr): void {
    const { code } = this;
    if (e.kind === "local" && this.locals.get(e.local)!.vector) {
      code.get(this.locals.get(e.local)!.wasm);
      return;
    }
    if (e.kind === "load" && this.#loadRegister(e)) return;
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
    } else if ((this.uses.get(e) ?? 2) > 1) {
      const local = this.temporary(v128Type);
      code.tee(local);
      this.vectorMemo.set(key, local);
    }
  }

  protected scalarLane(e: Expr, lane: number): void {
    this.uses.set(e, 4);
    const outer = this.laneNumber;
    this.laneNumber = -1;
    this.vector(e);
    this.laneNumber = outer;
    this.extractLane(e.type, lane);
  }

  // -------------------------------------------------------------- lanes

  /** A scalar, with bool as 0 or 1, becomes four lanes. */
  splat(type: ScalarType): void {
    if (type === "bool") this.code.i32(-1).op(0x6c);
    this.code.op(simd(type === "f32" ? 0x13 : 0x11));
  }
  extractLane(type: ScalarType, lane: number): void {
    this.code.op(simd(type === "f32" ? 0x1f : 0x1b)).byte(lane);
    if (type === "bool") this.code.i32(1).op(0x71);
  }
  #replaceLane(type: ScalarType, lane: number): void {
    if (type === "bool") this.code.i32(-1).op(0x6c);
    this.code.op(simd(type === "f32" ? 0x20 : 0x1c)).byte(lane);
  }
  /** Four lanes from code that pushes each of them. */
  #fromLanes(type: ScalarType, push: (lane: number) => void): void {
    for (let lane = 0; lane < 4; lane++) {
      push(lane);
      if (lane === 0) this.splat(type);
      else this.#replaceLane(type, lane);
    }
  }
  /** Runs `f` for one lane of the indices in it. */
  #inLane(lane: number, f: () => void): void {
    const outer = this.laneNumber;
    this.laneNumber = lane;
    f();
    this.laneNumber = outer;
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
        return this.#load(e);
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
        if (this.#extremeByConstant(e)) return;
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

  #select({ condition: c, x, y, type }: Select): void {
    const { code } = this;
    // x < y ? x : y is f32x4.pmin(y, x), with > it is pmax: one instruction each.
    if (c.kind === "compare" && c.x === x && c.y === y && type === "f32" && (c.op === "lt" || c.op === "gt")) {
      this.vector(y);
      this.vector(x);
      code.op(simd(c.op === "lt" ? 0xea : 0xeb));
      return;
    }
    const skipsY = this.sharedIfSkipped(y, x);
    const shared = skipsY ?? this.sharedIfSkipped(x, y);
    if (shared && this.dependence(c).varies) return this.#branch(c, x, y, shared, skipsY !== null);
    this.vector(x);
    this.vector(y);
    this.vector(c);
    code.op(simd(0x52));
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
  /** A select one of whose operands is only computed if a lane needs it. */
  #branch(c: Expr, x: Expr, y: Expr, shared: readonly Expr[], skipsY: boolean): void {
    const { code } = this;
    const [mask, cheap] = [this.temporary(v128Type), this.temporary(v128Type)];
    for (const s of shared) {
      this.vector(s);
      code.op(dropOp);
    }
    this.vector(c);
    code.set(mask);
    this.vector(skipsY ? x : y);
    code.set(cheap).get(mask);
    // Nothing of y is needed if all lanes are true, nothing of x if none is.
    code
      .op(simd(skipsY ? 0xa3 : 0x53))
      .op(ifOp)
      .byte(v128Type);
    const both = (): void => {
      this.inBranch(() => this.vector(skipsY ? y : x));
      if (skipsY) {
        // bitselect takes the operand for true lanes first.
        const rare = this.temporary(v128Type);
        code.set(rare).get(cheap).get(rare);
      } else code.get(cheap);
      code.get(mask).op(simd(0x52));
    };
    if (skipsY) code.get(cheap);
    else both();
    code.op(elseOp);
    if (skipsY) both();
    else code.get(cheap);
    code.op(endOp);
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
        this.#fromLanes(type, (lane) => {
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
    this.#fromLanes(type, (lane) => {
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
      this.#fromLanes("i32", (lane) => this.#inLane(lane, () => this.pushIndex(this.resolve(index, lane))));
      return;
    }
    this.pushIndex(resolved);
    this.splat("i32");
    const { lane } = resolved;
    code.op(simd(0x0c));
    for (let i = 0; i < 4; i++) for (let b = 0; b < 4; b++) code.byte(((i * lane) >> (8 * b)) & 0xff);
    code.op(simd(binaryOps.add![0]));
  }

  // -------------------------------------------------------------- loads

  #load(e: Load): void {
    const { code } = this;
    const { buffer, type } = e;
    const resolved = this.resolve(e.index, -1);
    const bytes = storageBytes[buffer.storage];
    const { lane, irregular } = resolved;
    if (!irregular && lane === 1) {
      const offset = this.address(buffer, resolved);
      const [op, ...extensions] = loadOps[buffer.storage];
      code.memory(simd(op!), alignmentOf(buffer.storage), offset);
      for (const x of extensions) code.op(simd(x));
    } else if (!irregular && lane === -1 && bytes === 4) {
      const last = this.resolve(e.index, 3);
      code.memory(simd(0), 2, this.address(buffer, last));
      const x = this.temporary(v128Type);
      code
        .tee(x)
        .get(x)
        .shuffle(bytesOfLanes(3, 2, 1, 0));
    } else if (!irregular && lane === 2 && bytes === 4) {
      // Elements 0 … 3 and 3 … 6: nothing is read beyond the last lane.
      code.memory(simd(0), 2, this.address(buffer, resolved));
      code.memory(simd(0), 2, this.address(buffer, { ...resolved, constant: resolved.constant + 3 }));
      code.shuffle(bytesOfLanes(0, 2, 5, 7));
    } else if (bytes === 4) {
      const offsets = [3, 2, 1, 0].map((l) => this.#laneAddress(e, l));
      code.memory(simd(0x09), 2, offsets[3]!);
      for (let l = 1; l < 4; l++) code.memory(loadLaneOp, 2, offsets[3 - l]!).byte(l);
    } else this.#fromLanes(type, (l) => this.#inLane(l, () => this.loadScalar(buffer, this.resolve(e.index, l))));
  }
  #laneAddress({ buffer, index }: Load | Store, lane: number): number {
    let offset = 0;
    this.#inLane(lane, () => (offset = this.address(buffer, this.resolve(index, lane))));
    return offset;
  }

  /** Pushes a private buffer's element or elements, if it lives in locals. */
  #loadRegister(e: Load): boolean {
    const registers = this.registers.get(e.buffer);
    if (!registers) return false;
    const { constant, lane } = this.resolve(e.index, -1);
    if (registers.kind === "vectors" && lane === 1) this.code.get(registers.locals[constant >> 2]!);
    else if (registers.kind === "splats") this.code.get(registers.locals[constant]!);
    else return false;
    return true;
  }
  protected readRegister({ kind, locals }: Registers, element: number, type: ScalarType): void {
    if (kind === "vectors") {
      this.code.get(locals[element >> 2]!);
      this.extractLane(type, element & 3);
    } else {
      this.code.get(locals[element]!);
      if (kind === "splats") this.extractLane(type, 0);
    }
  }

  // -------------------------------------------------------------- stores

  /** Stores a value in one element of a private buffer that lives in locals. */
  protected writeRegister({ kind, locals }: Registers, element: number, value: Expr): void {
    const { code } = this;
    if (kind === "splats") {
      this.vector(value);
      code.set(locals[element]!);
    } else if (kind === "scalars") {
      this.scalar(value);
      code.set(locals[element]!);
    } else {
      code.get(locals[element >> 2]!);
      this.scalar(value);
      this.#replaceLane(value.type, element & 3);
      code.set(locals[element >> 2]!);
    }
  }

  /** A store in a vector loop. */
  protected storeVector(s: Store, push: () => void): void {
    const { code } = this;
    const { buffer, index, value } = s;
    const resolved = this.resolve(index, -1);
    const registers = this.registers.get(buffer);
    const { lane, irregular, constant } = resolved;
    if (registers && lane === 1) {
      push();
      code.set(registers.locals[constant >> 2]!);
      return;
    }
    if (registers) {
      // Every lane stores to the same place: the last one stays.
      if (this.dependence(value).varies) {
        if (registers.kind === "vectors") code.get(registers.locals[constant >> 2]!);
        push();
        this.extractLane(value.type, 3);
        if (registers.kind === "vectors") this.#replaceLane(value.type, constant & 3);
        if (registers.kind === "splats") this.splat(value.type);
        code.set(registers.locals[registers.kind === "vectors" ? constant >> 2 : constant]!);
      } else this.writeRegister(registers, constant, value);
      return;
    }
    const bytes = storageBytes[buffer.storage];
    const align = alignmentOf(buffer.storage);
    if (!irregular && lane === 0) {
      const offset = this.address(buffer, resolved);
      if (this.dependence(value).varies) {
        push();
        this.extractLane(value.type, 3);
      } else this.scalar(value);
      this.storeScalar(buffer, offset);
      return;
    }
    if (!irregular && lane === 1) {
      const offset = this.address(buffer, resolved);
      push();
      if (bytes === 4) {
        code.memory(simd(0x0b), align, offset);
        return;
      }
      const x = this.temporary(v128Type);
      code.tee(x).get(x);
      const low = [0, 4, 8, 12].flatMap((b) => (bytes === 2 ? [b, b + 1] : [b]));
      code.shuffle(Array.from({ length: 16 }, (_, i) => low[i % low.length]!));
      code.memory(simd(bytes === 2 ? 0x5b : 0x5a), align, offset).byte(0);
      return;
    }
    const x = this.temporary(v128Type);
    push();
    code.set(x);
    for (let l = 0; l < 4; l++) {
      const offset = this.#laneAddress(s, l);
      code
        .get(x)
        .memory(storeLaneOps[bytes]!, align, offset)
        .byte((4 / bytes) * l);
    }
  }
}

/** The load of four neighbours, then what extends them to 32 bits. */
const loadOps: Readonly<Record<StorageType, readonly number[]>> = {
  i8: [0x5c, 0x87, 0xa7],
  u8: [0x5c, 0x89, 0xa9],
  i16: [0x03],
  u16: [0x04],
  i32: [0],
  u32: [0],
  f32: [0],
  f64: [],
};

const scratch = new DataView(new ArrayBuffer(4));
/** The bits of a lane that holds a constant. */
function bitsOf({ type, value }: Const): number {
  if (type === "f32") scratch.setFloat32(0, value);
  else scratch.setInt32(0, type === "bool" ? -value : value);
  return scratch.getInt32(0);
}
/** The same for expressions that give the same lanes: there may be many constants of one value. */
const keyOf = (e: Expr): unknown => (e.kind === "const" ? bitsOf(e) : e.kind === "local" ? e.local : e);
