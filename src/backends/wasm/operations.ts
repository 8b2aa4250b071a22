/** Operations on scalars that lie on wasm's stack, bool as 0 or 1 in an i32. */
import { unreachable } from "../../core/problem.ts";
import type { BinaryOp, CompareOp, ScalarType, UnaryOp } from "../../core/scalar.ts";
import { Addresses } from "./addresses.ts";
import { f32Type, f64Type, i32Type, saturating, type ValueType } from "./encoder.ts";

export const valueTypeOf = (t: ScalarType): ValueType => (t === "f32" ? f32Type : t === "f64" ? f64Type : i32Type);

/** Opcodes by operation, for i32, u32, f32 and f64; 0 where there is none. */
const binaryOps: Readonly<Partial<Record<BinaryOp, readonly [number, number, number, number]>>> = {
  add: [0x6a, 0x6a, 0x92, 0xa0],
  sub: [0x6b, 0x6b, 0x93, 0xa1],
  mul: [0x6c, 0x6c, 0x94, 0xa2],
  div: [0x6d, 0x6e, 0x95, 0xa3],
  rem: [0x6f, 0x70, 0, 0],
  min: [0, 0, 0x96, 0xa4],
  max: [0, 0, 0x97, 0xa5],
  and: [0x71, 0x71, 0, 0],
  or: [0x72, 0x72, 0, 0],
  xor: [0x73, 0x73, 0, 0],
  shl: [0x74, 0x74, 0, 0],
  shr: [0x75, 0x76, 0, 0],
};
const unaryOps: Readonly<Partial<Record<UnaryOp, readonly [number, number, number, number]>>> = {
  neg: [0, 0, 0x8c, 0x9a],
  abs: [0, 0, 0x8b, 0x99],
  sqrt: [0, 0, 0x91, 0x9f],
  floor: [0, 0, 0x8e, 0x9c],
  ceil: [0, 0, 0x8d, 0x9b],
  trunc: [0, 0, 0x8f, 0x9d],
  round: [0, 0, 0x90, 0x9e],
  clz: [0x67, 0x67, 0, 0],
  popcount: [0x69, 0x69, 0, 0],
};
const compareOps: Readonly<Record<CompareOp, readonly [number, number, number, number]>> = {
  eq: [0x46, 0x46, 0x5b, 0x61],
  ne: [0x47, 0x47, 0x5c, 0x62],
  lt: [0x48, 0x49, 0x5d, 0x63],
  gt: [0x4a, 0x4b, 0x5e, 0x64],
  le: [0x4c, 0x4d, 0x5f, 0x65],
  ge: [0x4e, 0x4f, 0x60, 0x66],
};
const column = (t: ScalarType): number => (t === "i32" ? 0 : t === "f32" ? 2 : t === "f64" ? 3 : 1);
export const selectOp = 0x1b;

export abstract class Operations extends Addresses {
  readonly #import: (name: string, operands: number) => number;

  /** `importFunction` gives the number of a function of the module `math`. */
  constructor(params: number, importFunction: (name: string, operands: number) => number) {
    super(params);
    this.#import = importFunction;
  }

  applyCompare(op: CompareOp, type: ScalarType): void {
    this.code.op(compareOps[op][column(type)]!);
  }

  applyUnary(op: UnaryOp, type: ScalarType): void {
    const { code } = this;
    const direct = unaryOps[op]?.[column(type)];
    if (direct) {
      code.op(direct);
      return;
    }
    const float = type === "f32" || type === "f64";
    switch (op) {
      case "neg":
        code.i32(-1).op(0x6c);
        return;
      case "abs": {
        if (type === "u32") return;
        const x = this.temporary(i32Type);
        code.tee(x).i32(0).get(x).op(0x6b).get(x).i32(0).op(0x4e).op(selectOp);
        return;
      }
      case "not":
        if (type === "bool") code.op(0x45);
        else code.i32(-1).op(0x73);
        return;
      case "isNaN": {
        const x = this.temporary(valueTypeOf(type));
        code.tee(x).get(x).op(compareOps.ne[column(type)]!);
        return;
      }
      default:
        if (!float) unreachable(`${op} of ${type}`);
        this.#call(op, 1, type);
    }
  }

  applyBinary(op: BinaryOp, type: ScalarType): void {
    const { code } = this;
    const direct = binaryOps[op]?.[column(type)];
    if (direct) {
      code.op(direct);
      return;
    }
    if (op === "min" || op === "max") {
      const [x, y] = [this.temporary(i32Type), this.temporary(i32Type)];
      const compare = compareOps[op === "min" ? "lt" : "gt"][column(type)]!;
      code.set(y).tee(x).get(y).get(x).get(y).op(compare).op(selectOp);
      return;
    }
    this.#call(op, 2, type);
  }

  /** Functions are imported for f64. Of f32 operands only the remainder is the same when computed there and rounded. */
  #call(name: string, operands: number, type: ScalarType): void {
    const { code } = this;
    if (type === "f64") {
      code.op(0x10).unsigned(this.#import(name, operands));
      return;
    }
    if (type !== "f32" || name !== "rem") unreachable(`${name} of ${type} was not expanded`);
    const y = this.temporary(f32Type);
    code.set(y).op(0xbb).get(y).op(0xbb);
    this.#call(name, operands, "f64");
    code.op(0xb6);
  }

  applyConvert(from: ScalarType, to: ScalarType): void {
    const { code } = this;
    const whole = to === "i32" || to === "u32";
    if (to === "bool") {
      if (from === "f32") code.f32(0);
      else if (from === "f64") code.f64(0);
      else code.i32(0);
      code.op(compareOps.ne[column(from)]!);
    } else if (from === "f32" || from === "f64") {
      if (whole) code.op(saturating((from === "f64" ? 2 : 0) + (to === "u32" ? 1 : 0)));
      else code.op(from === "f32" ? 0xbb : 0xb6);
    } else if (!whole) code.op((to === "f32" ? 0xb2 : 0xb7) + (from === "i32" ? 0 : 1));
  }
}
