/**
 * Lanes and memory: how four lanes are loaded, stored, spread and taken apart, for every stride and storage type.
 */
import type { Buffer, Expr, Load, ScalarType, StorageType } from "../../core/scalar.ts";
import { operandsOf, storageBytes } from "../../core/scalar.ts";
import type { Stmt, Store } from "../../compiler/loopNest/loopNest.ts";
import { simd, v128Type } from "./encoder.ts";
import { type Registers, ScalarCode, alignmentOf } from "./scalarCode.ts";

const bytesOfLanes = (...lanes: number[]): number[] => lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]);
/** Loads and stores of one lane, by the bytes of an element. */
const loadLaneOp = simd(0x56);
const storeLaneOps: Readonly<Record<number, number>> = { 1: simd(0x58), 2: simd(0x59), 4: simd(0x5a) };

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

/** Whether a value is made of what a buffer holds. */
function reads(value: Expr, buffer: Buffer): boolean {
  const seen = new Set<Expr>();
  const visit = (e: Expr): boolean => {
    if (seen.has(e)) return false;
    seen.add(e);
    return (e.kind === "load" && e.buffer === buffer) || operandsOf(e).some(visit);
  };
  return visit(value);
}

export abstract class VectorMemory extends ScalarCode {
  protected scalarLane(e: Expr, lane: number): void {
    this.run.share(e);
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
  protected fromLanes(type: ScalarType, push: (lane: number) => void): void {
    for (let lane = 0; lane < 4; lane++) {
      push(lane);
      if (lane === 0) this.splat(type);
      else this.#replaceLane(type, lane);
    }
  }
  /** Runs `f` for one lane of the indices in it. */
  protected inLane(lane: number, f: () => void): void {
    const outer = this.laneNumber;
    this.laneNumber = lane;
    f();
    this.laneNumber = outer;
  }

  // -------------------------------------------------------------- loads

  protected loadVector(e: Load): void {
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
    } else this.fromLanes(type, (l) => this.inLane(l, () => this.loadScalar(buffer, this.resolve(e.index, l))));
  }
  #laneAddress({ buffer, index }: Load | Store, lane: number): number {
    let offset = 0;
    this.inLane(lane, () => (offset = this.address(buffer, this.resolve(index, lane))));
    return offset;
  }

  /** Pushes a private buffer's element or elements, if it lives in locals. */
  protected loadRegister(e: Load): boolean {
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

  /** Two stores in a vector loop, if every other element is the second one's: their lanes are joined in memory order. */
  protected storeNeighbours(s: Stmt, t: Stmt | undefined): boolean {
    if (s.kind !== "store" || t?.kind !== "store" || s.buffer !== t.buffer) return false;
    if (storageBytes[s.buffer.storage] !== 4 || this.registers.has(s.buffer)) return false;
    const [even, odd] = [this.resolve(s.index, -1), this.resolve(t.index, -1)];
    if (even.irregular || odd.irregular || even.lane !== 2 || odd.lane !== 2) return false;
    const sameTerms = (): boolean =>
      even.terms.length === odd.terms.length &&
      even.terms.every((x) => odd.terms.some((y) => x.key === y.key && x.factor === y.factor));
    if (odd.constant !== even.constant + 1 || !sameTerms() || reads(t.value, s.buffer)) return false;
    const { code } = this;
    const [x, y] = [this.temporary(v128Type), this.temporary(v128Type)];
    this.vector(s.value);
    code.set(x);
    this.vector(t.value);
    code.set(y);
    for (const [i, constant] of [even.constant, even.constant + 4].entries()) {
      const offset = this.address(s.buffer, { ...even, constant });
      code
        .get(x)
        .get(y)
        .shuffle(bytesOfLanes(2 * i, 4 + 2 * i, 1 + 2 * i, 5 + 2 * i));
      code.memory(simd(0x0b), 2, offset);
    }
    return true;
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
