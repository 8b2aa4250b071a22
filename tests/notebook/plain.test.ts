/** Without `cotangent/notebook`, values show text and a plain table; what a GPU holds is waited for. */
import { expect, test } from "vitest";
import { deviceInfo, init, makeJaxpr, numpy as np } from "../../src/index.ts";

const display = (x: object): unknown => (x as Record<symbol, () => unknown>)[Symbol.for("Jupyter.display")]!();

test("arrays, programs and devices", async () => {
  expect(display(np.eye(2))).toMatchObject({ "text/plain": "Array([[1., 0.],\n       [0., 1.]], dtype=float32)" });
  expect(display(deviceInfo())).toEqual({ "text/plain": String(deviceInfo()) });
  const program = makeJaxpr((x) => x)(1);
  expect(display(program)).toEqual({ "text/plain": String(program) });
  await init("webgpu");
  expect(await display(np.ones([2]))).toMatchObject({ "text/plain": "Array([1., 1.], dtype=float32)" });
});
