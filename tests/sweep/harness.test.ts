/** The sweep notices wrong rules: each check fails for a primitive with one rule broken, and passes for the whole one. */
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../src/core/hostArray.ts";
import { pointwise } from "../../src/core/lowerRules.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { type AnyPrimitive, type One, type PrimitiveSlots, Zero, definePrimitive } from "../../src/core/primitive.ts";
import { plus, times } from "../../src/core/scalar.ts";
import { moveAxis } from "../../src/core/structural.ts";
import { bind1 } from "../../src/core/trace.ts";
import * as lax from "../../src/lax/index.ts";
import { holds } from "../properties.ts";
import { checkForward, checkInference, checkJit, checkReverse, checkVmap } from "./checks.ts";
import { arrays, shapes } from "./generator.ts";
import type { Generator, Sample } from "./generator.ts";

/** x³, with some slots replaced. */
const cube = (broken: Partial<PrimitiveSlots<One, null>> = {}): AnyPrimitive => {
  const self: AnyPrimitive = definePrimitive<One, null>({
    name: "cube",
    kind: "elementwise",
    infer: ([x]) => [x],
    reference: ([x]) => [{ ...x, data: x.data.map((v) => v ** 3) }],
    jvp: ([x], [dx]) => ({
      primals: [bind1(self, [x], null)],
      tangents: [lax.mul(dx as NDArray, lax.mul(lax.square(x), 3))],
    }),
    transpose: "nonlinear",
    batch: ([x], [d]) => ({ outs: [bind1(self, [x], null)], dims: [d] }),
    lower: ([x]) => pointwise([x], ([v]) => [times(v!, times(v!, v!))]),
    ...broken,
  });
  return self;
};
/** Linear: 2x. */
const double = (broken: Partial<PrimitiveSlots<One, null>> = {}): AnyPrimitive => {
  const self: AnyPrimitive = definePrimitive<One, null>({
    name: "double",
    kind: "elementwise",
    infer: ([x]) => [x],
    reference: ([x]) => [{ ...x, data: x.data.map((v) => v * 2) }],
    jvp: ([x], [dx]) => ({ primals: [bind1(self, [x], null)], tangents: [bind1(self, [dx as NDArray], null)] }),
    transpose: ([ct]) => [bind1(self, [ct as NDArray], null)],
    batch: ([x], [d]) => ({ outs: [bind1(self, [x], null)], dims: [d] }),
    lower: ([x]) => pointwise([x], ([v]) => [plus(v!, v!)]),
    ...broken,
  });
  return self;
};

type Check = (g: Generator, s: Sample) => void;
const run = (check: Check, primitive: AnyPrimitive): (() => void) => {
  const sample = shapes({ minDims: 1 }).chain((s) => arrays(s, "float64").map((x) => ({ ins: [x], params: null })));
  return () => holds(25, [sample], (s) => check({ primitive, sample }, s));
};

const checks: Record<string, Check> = { checkInference, checkJit, checkVmap, checkForward, checkReverse };
test.each(Object.entries(checks))("%s passes for right rules", (_, check) => {
  run(check, cube())();
  run(check, double())();
});

const scaled = (x: HostArray, factor: number): HostArray => ({ ...x, data: x.data.map((v) => v * factor) });
let calls = 0;
describe("a wrong rule is noticed", () => {
  test.each<readonly [string, Check, AnyPrimitive]>([
    ["the shape inferred", checkInference, cube({ infer: ([x]) => [x.withShape([...x.shape, 1])] })],
    ["the dtype inferred", checkInference, cube({ infer: ([x]) => [x.withDType("float32")] })],
    [
      "storage of another type",
      checkInference,
      cube({ reference: ([x]) => [{ ...x, data: Float32Array.from(x.data) }] }),
    ],
    ["results that change from call to call", checkJit, cube({ reference: ([x]) => [scaled(x, ++calls)] })],
    [
      "the batch axis",
      checkVmap,
      cube({ batch: ([x], [d]) => ({ outs: [lax.integerPow(moveAxis(x, d!, 0), 3)], dims: [d] }) }),
    ],
    ["batched values", checkVmap, cube({ batch: ([x], [d]) => ({ outs: [lax.square(x)], dims: [d] }) })],
    [
      "a batch rule that forgets the axis",
      checkVmap,
      cube({ batch: ([x], [d]) => ({ outs: [lax.reduceSum(x, [d!])], dims: [null] }) }),
    ],
    [
      "the derivative",
      checkForward,
      cube({
        jvp: ([x], [dx]) => ({ primals: [lax.integerPow(x, 3)], tangents: [lax.mul(dx as NDArray, lax.square(x))] }),
      }),
    ],
    [
      "a derivative forgotten",
      checkForward,
      cube({ jvp: ([x]) => ({ primals: [lax.integerPow(x, 3)], tangents: [new Zero(x.aval)] }) }),
    ],
    ["the transpose", checkReverse, double({ transpose: ([ct]) => [lax.mul(ct as NDArray, 3)] })],
    ["a transpose forgotten", checkReverse, double({ transpose: () => [null] })],
    ["the shape of a cotangent", checkReverse, double({ transpose: ([ct]) => [lax.reduceSum(ct as NDArray, [0])] })],
  ])("%s", (_, check, primitive) => {
    expect(run(check, primitive)).toThrow();
  });
});
