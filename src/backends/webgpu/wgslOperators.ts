/** What WGSL calls the operations of scalar expressions. */
import type { Binary, Compare, Unary } from "../../core/scalar.ts";

export const binaryOperators: Partial<Record<Binary["op"], string>> = {
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
};
export const compareOperators: Readonly<Record<Compare["op"], string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
export const unaryFunctions: Partial<Record<Unary["op"], string>> = {
  abs: "abs",
  sqrt: "sqrt",
  floor: "floor",
  ceil: "ceil",
  trunc: "trunc",
  round: "round",
  clz: "countLeadingZeros",
  popcount: "countOneBits",
};
