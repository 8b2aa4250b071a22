/** The page docs/promotion.md: the dtype of every pair of operands, computed by the library. */
import { type WeakDType, allDTypes, promote } from "../src/core/dtype.ts";

const operands: readonly { readonly label: string; readonly type: WeakDType }[] = [
  ...allDTypes.filter((d) => d !== "key<fry>").map((dtype) => ({ label: dtype, type: { dtype, weakType: false } })),
  { label: "whole number", type: { dtype: "int32", weakType: true } },
  { label: "other number", type: { dtype: "float32", weakType: true } },
];

const short: Readonly<Record<string, string>> = {
  bool: "bool",
  int8: "i8",
  int16: "i16",
  int32: "i32",
  uint8: "u8",
  uint16: "u16",
  uint32: "u32",
  float16: "f16",
  bfloat16: "bf16",
  float32: "f32",
  float64: "f64",
  complex64: "c64",
};

const cell = (a: WeakDType, b: WeakDType): string => {
  const { dtype, weakType } = promote([a, b]);
  return `${short[dtype]!}${weakType ? "\\*" : ""}`;
};

export function promotionPage(): string {
  const names = operands.map((o) => (o.type.weakType ? o.label : short[o.label]!));
  return [
    "# Promotion",
    "",
    "The dtype of an operation on two operands: JAX's lattice, with 64-bit integers and complex128 in their 32-bit forms. A star",
    "marks weak results, which adapt to the next dtype they meet. Plain JavaScript numbers are weak: a whole number keeps an integer",
    "array integer, any other makes it float32. This page is generated: `npm run docs`.",
    "",
    `| | ${names.join(" | ")} |`,
    `| --- | ${names.map(() => "---").join(" | ")} |`,
    ...operands.map((a, i) => `| ${names[i]!} | ${operands.map((b) => cell(a.type, b.type)).join(" | ")} |`),
    "",
  ].join("\n");
}
