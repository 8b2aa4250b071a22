import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";

/** Every function, with points away from its kinks. */
const functions: Readonly<Record<string, (x: NDArray) => NDArray>> = {
  relu: nn.relu,
  relu6: nn.relu6,
  leakyRelu: (x) => nn.leakyRelu(x, 0.2),
  elu: (x) => nn.elu(x, { alpha: 0.7 }),
  celu: (x) => nn.celu(x, 1.3),
  selu: nn.selu,
  sigmoid: nn.sigmoid,
  softplus: nn.softplus,
  logSigmoid: nn.logSigmoid,
  silu: nn.silu,
  mish: nn.mish,
  gelu: (x) => nn.gelu(x),
  exactGelu: (x) => nn.gelu(x, { approximate: false }),
  squareplus: (x) => nn.squareplus(x),
  softSign: nn.softSign,
  tanh: nn.tanh,
  hardTanh: nn.hardTanh,
  hardSigmoid: nn.hardSigmoid,
  hardSilu: nn.hardSilu,
  sparsePlus: nn.sparsePlus,
  sparseSigmoid: nn.sparseSigmoid,
  log1mexp: (x) => nn.log1mexp(np.add(np.abs(x), 0.1)),
  identity: nn.identity,
  glu: (x) => nn.glu(x),
};
const points = [-4.2, -1.7, -0.6, 0.4, 1.6, 7.3];

describe.each(Object.entries(functions))("%s", (_, f) => {
  test("has the derivative of its differences, twice", () => {
    checkGrads(f, [f64(points)], 2);
  });

  test("is the same under jit and vmap", () => {
    const x = f32([points, points.map((v) => v / 2)]);
    expectClose(jit(f)(x), f(x));
    expectClose(vmap(f)(x), f(x));
  });

  test.each(["float16", "bfloat16", "float64"] as DType[])("keeps %s", (dtype) => {
    expect(f(np.astype(f32(points), dtype)).dtype).toBe(dtype);
  });

  test("stays finite where it should, derivative included", () => {
    for (const v of [-1e4, 1e4]) {
      const x = f32([v, v]);
      expect(list(np.isnan(f(x))), `value at ${v}`).not.toContain(1);
      expect(list(np.isnan(grad((y: NDArray) => np.sum(f(y)))(x))), `derivative at ${v}`).not.toContain(1);
    }
  });
});

describe("kinks and ends", () => {
  const derivative = (f: (x: NDArray) => NDArray, x: number): number => item(grad(f)(f32(x)));

  test("the derivatives of relu and relu6 are zero at their kinks, as in JAX", () => {
    expect([-1, 0, 1].map((x) => derivative(nn.relu, x))).toEqual([0, 0, 1]);
    expect([0, 3, 6, 7].map((x) => derivative(nn.relu6, x))).toEqual([0, 1, 0, 0]);
    expect(derivative(nn.leakyRelu, 0)).toBe(1);
  });

  test("infinities", () => {
    const inf = f32([-Infinity, Infinity]);
    expect(list(nn.sigmoid(inf))).toEqual([0, 1]);
    expect(list(nn.softplus(inf))).toEqual([0, Infinity]);
    expect(list(nn.relu(inf))).toEqual([0, Infinity]);
    expect(list(nn.elu(inf))).toEqual([-1, Infinity]);
  });

  test("NaN stays NaN", () => {
    for (const f of [nn.relu, nn.sigmoid, nn.softplus, nn.silu, nn.hardTanh]) expect(item(f(f32(NaN)))).toBeNaN();
  });

  test("log1mexp is accurate at both ends", () => {
    const [tiny, large] = list(nn.log1mexp(f64([1e-10, 40]))) as [number, number];
    expect(tiny).toBeCloseTo(Math.log(1e-10), 6);
    expect(large / -Math.exp(-40)).toBeCloseTo(1, 10);
  });

  test("integers: relu keeps them, others compute in float32", () => {
    expect(nn.relu(i32([-1, 2])).dtype).toBe("int32");
    expect(nn.relu6(i32([-1, 9])).dtype).toBe("float32");
    expect(nn.hardTanh(i32([-5, 5])).dtype).toBe("int32");
    expect(list(nn.sigmoid(i32([0])))).toEqual([0.5]);
  });

  test("numbers and lists are operands too", () => {
    expect(item(nn.relu(-3))).toBe(0);
    expect(list(nn.relu([-3, 4]))).toEqual([0, 4]);
  });
});

describe("mistakes", () => {
  test("an odd axis cannot be gated", () => {
    expect(problemOf(() => nn.glu(f32([1, 2, 3])))).toMatchObject({ kind: "ShapeError", code: "OddAxis" });
  });
  test("unknown and surplus options", () => {
    expect(problemOf(() => nn.elu(f32([1]), { slope: 1 } as never)).code).toBe("UnknownOption");
    expect(problemOf(() => (nn.gelu as (...args: unknown[]) => unknown)(f32([1]), true, 1)).code).toBe(
      "SurplusArgument",
    );
  });
});
