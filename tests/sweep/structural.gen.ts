/** Samples for `core/structural.ts`, `core/barrier.ts`, `core/constant.ts` and `name`. */
import fc from "fast-check";
import { optimizationBarrierP } from "../../src/core/barrier.ts";
import { constantP } from "../../src/core/constant.ts";
import { primitives } from "../../src/core/structural.ts";
import { nameP } from "../../src/transforms/checkpoint.ts";
import { fromHost } from "../support/values.ts";
import { type AnyPrimitive, Aval, type DType, isKey, range } from "./core.ts";
import { elementwise, integers } from "./elementwise.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

const named = (name: string): AnyPrimitive => primitives.find((p) => p.name === name)!;
const floats: readonly DType[] = ["float64", "float32"];
const others: readonly DType[] = ["int32", "bool", "complex64", "key<fry>", "bfloat16"];
const numeric: readonly DType[] = ["bool", ...integers, "float16", "bfloat16", "float32", "float64", "complex64"];

const unary = (
  dtypes: readonly DType[],
  params: (shape: readonly number[]) => fc.Arbitrary<unknown>,
  min = 0,
): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes({ minLength: min }), fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) => fc.record({ ins: fc.tuple(arrays(shape, dtype)), params: params(shape) }));

/** New axes between the old ones; old ones of length 1 may stretch. */
const broadcast = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      fc.array(fc.record({ n: fc.integer({ min: 0, max: 3 }), role: fc.constantFrom("kept", "stretched", "new") }), {
        maxLength: 4,
      }),
      fc.constantFrom(...dtypes),
    )
    .chain(([axes, dtype]) => {
      const own = range(axes.length).filter((i) => axes[i]!.role !== "new");
      const operand = own.map((i) => (axes[i]!.role === "stretched" ? 1 : axes[i]!.n));
      const params = { shape: axes.map((a) => a.n), broadcastDimensions: own };
      return arrays(operand, dtype).map((x) => ({ ins: [x], params }));
    });

/** The same elements in another shape: the axes in another order, neighbours joined. */
const regrouped = (shape: readonly number[]): fc.Arbitrary<{ readonly shape: readonly number[] }> =>
  fc.shuffledSubarray([...shape], { minLength: shape.length, maxLength: shape.length }).chain((order) =>
    fc.boolean().map((join) => ({
      shape: join && order.length > 1 ? [order[0]! * order[1]!, ...order.slice(2)] : [...order, 1],
    })),
  );

const convertTo = (from: readonly DType[], to: readonly DType[], range_ = {}): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes(), fc.constantFrom(...from), fc.constantFrom(...to), fc.boolean())
    .chain(([shape, dtype, target, weakType]) =>
      arrays(shape, dtype, range_).map((x) => ({ ins: [x], params: { dtype: target, weakType } })),
    );

const permutation = (shape: readonly number[]) =>
  fc
    .shuffledSubarray(range(shape.length), { minLength: shape.length, maxLength: shape.length })
    .map((p) => ({ permutation: p }));
const someAxes = (shape: readonly number[]) => fc.subarray(range(shape.length)).map((axes) => ({ axes }));

const twice = (
  p: AnyPrimitive,
  sample: (dtypes: readonly DType[]) => fc.Arbitrary<Sample>,
  rest = others,
): Generator[] => [
  { primitive: p, sample: sample(floats) },
  { primitive: p, sample: sample(rest), label: "other dtypes", smooth: false },
];

const pair = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapes(), fc.constantFrom(...dtypes))
    .chain(([shape, dtype]) => fc.tuple(arrays(shape, dtype), arrays(shape, dtype)))
    .map((ins) => ({ ins, params: null }));

const list = (dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .array(
      fc.tuple(shapes(), fc.constantFrom(...dtypes)).chain(([s, d]) => arrays(s, d)),
      { minLength: 1, maxLength: 3 },
    )
    .map((ins) => ({ ins, params: null }));

export const generators: readonly Generator[] = [
  ...twice(
    named("add_any"),
    pair,
    others.filter((d) => !isKey(d)),
  ),
  ...twice(named("broadcast_in_dim"), broadcast),
  ...twice(named("reshape"), (d) => unary(d, regrouped)),
  ...twice(named("transpose"), (d) => unary(d, permutation)),
  ...twice(
    named("reduce_sum"),
    (d) => unary(d, someAxes),
    others.filter((d) => !isKey(d)),
  ),
  { primitive: named("convert_element_type"), sample: convertTo(["float64"], ["float64"]) },
  {
    primitive: named("convert_element_type"),
    sample: convertTo(numeric, numeric),
    label: "other dtypes",
    smooth: false,
  },
  {
    primitive: named("convert_element_type"),
    sample: convertTo(["float64"], integers, { min: -300, max: 300 }),
    label: "saturating",
    smooth: false,
  },
  // The derivative is zero whatever the differences are.
  elementwise(named("stop_gradient"), [{}], { smooth: false, modes: "none" }),
  {
    primitive: named("eye"),
    sample: fc
      .record({
        rows: fc.integer({ min: 0, max: 4 }),
        columns: fc.integer({ min: 0, max: 4 }),
        offset: fc.integer({ min: -3, max: 3 }),
        dtype: fc.constantFrom<DType>("float32", "int32", "complex64"),
      })
      .map((params) => ({ ins: [], params })),
  },
  {
    primitive: named("unspecified"),
    sample: fc
      .tuple(shapes({ minLength: 0 }), fc.constantFrom(...numeric))
      .map(([shape, dtype]) => ({ ins: [], params: { aval: new Aval(shape, dtype) } })),
  },
  ...twice(optimizationBarrierP, list, others),
  ...twice(nameP, (d) => unary(d, () => fc.constant({ name: "x" }))),
  {
    primitive: constantP,
    sample: unary([...floats, ...others], () => fc.constant(null)).map(({ ins }) => ({
      ins: [],
      params: { value: fromHost(ins[0]!) },
    })),
  },
];
