/** Samples for `lax/compare.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/compare.ts";
import type { DType, Shape } from "./core.ts";
import { complexCase, elementwise, integers } from "./elementwise.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

const comparisons = [lax.eqP, lax.neP, lax.ltP, lax.leP, lax.gtP, lax.geP];
const dtypes: readonly DType[] = ["float64", "float32", "float16", "bool", ...integers];

/** A selector and cases, some of them scalars. */
const selection = (which: DType, cases: number, dtype: fc.Arbitrary<DType>): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes(), dtype, fc.array(fc.boolean(), { minLength: cases + 1, maxLength: cases + 1 }))
    .chain(([shape, d, scalar]) => {
      const at = (i: number): Shape => (scalar[i] && scalar[i + 1] ? [] : shape);
      const operands = Array.from({ length: cases }, (_, i) => arrays(at(i), d));
      return fc.tuple(arrays(scalar[0] ? [] : shape, which, { min: 0, max: cases - 1 }), ...operands);
    })
    .map((ins) => ({ ins, params: null }));

const anyDType = fc.constantFrom<DType>("float64", "float32", "int32", "bool");
export const generators: readonly Generator[] = [
  ...comparisons.map((p) => elementwise(p, [{}, {}], { dtypes, smooth: false })),
  complexCase(
    lax.eqP,
    [
      { min: 0, max: 0.0625 },
      { min: 0, max: 0.0625 },
    ],
    { smooth: false },
  ),
  complexCase(
    lax.neP,
    [
      { min: 0, max: 0.0625 },
      { min: 0, max: 0.0625 },
    ],
    { smooth: false },
  ),
  { primitive: lax.selectNP, sample: selection("bool", 2, anyDType), label: "boolean" },
  { primitive: lax.selectNP, sample: selection("int32", 3, anyDType), label: "three cases" },
  {
    primitive: lax.selectNP,
    sample: selection("bool", 2, fc.constant("complex64")),
    label: "complex",
    tolerance: 3e-2,
  },
];
