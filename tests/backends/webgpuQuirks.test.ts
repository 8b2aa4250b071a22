/**
 * The quirks that the WebGPU backend works around, looked for in plain WGSL. A failure here is good news: a runtime was
 * mended, and once the oldest one supported is, the work-around in quirks.ts or opacity.ts can go.
 */
import { describe, expect, test } from "vitest";
import { runningDevice } from "../support/webgpu.ts";

const bitsOf = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0]!;
const floatOf = (x: number): number => new Float32Array(new Uint32Array([x]).buffer)[0]!;

/** The word that `expression` of the float x (and y, both in memory) gives. */
async function evaluate(expression: string, x: number, y = 0): Promise<number> {
  const device = await runningDevice();
  const code = `@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@compute @workgroup_size(1) fn main() {
  let x = bitcast<f32>(words[0]);
  let y = bitcast<f32>(words[1]);
  words[2] = ${expression};
}`;
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const buffer = device.createBuffer({ size: 12, usage: 0x80 | 8 | 4 });
  const staging = device.createBuffer({ size: 12, usage: 1 | 8 });
  device.queue.writeBuffer(buffer, 0, new Uint32Array([bitsOf(x), bitsOf(y), 0]));
  const layout = pipeline.getBindGroupLayout(0);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 12);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  return new Uint32Array(staging.getMappedRange())[2]!;
}

describe("quirks that are still there", () => {
  test("x != y is false for NaN", async () => {
    expect(await evaluate("u32(x != y)", NaN, 1)).toBe(0);
    expect(await evaluate("u32(!(x == y))", NaN, 1)).toBe(1);
  });

  test("i32 and u32 of infinity are not the greatest numbers", async () => {
    expect(await evaluate("bitcast<u32>(i32(x))", Infinity)).toBe(2147483520);
    expect(await evaluate("u32(x)", Infinity)).toBe(4294967040);
  });

  test("SwiftShader rounds u32 to f32 twice", async () => {
    const { description } = (await runningDevice()).adapterInfo;
    // Other drivers are right.
    const want = /swiftshader/i.test(description) ? 3307313152 : 3307312896;
    expect(floatOf(await evaluate("bitcast<u32>(f32(u32(x) + 79u))", 3307312896))).toBe(want);
  });

  test("floating-point arithmetic is simplified as if numbers were real", async () => {
    expect(await evaluate("bitcast<u32>(x * 0.0)", NaN)).toBe(0);
    expect(floatOf(await evaluate("bitcast<u32>((x + 1.0) - 1.0)", 0.49999997))).toBe(Math.fround(0.49999997));
  });

  test("min and max drop NaN", async () => {
    expect(floatOf(await evaluate("bitcast<u32>(max(x, y))", 1, NaN))).toBe(1);
  });
});
