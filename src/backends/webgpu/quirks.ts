/**
 * What drivers and runtimes do that they should not, or need not, and what is done about it: each here, with its reason.
 * `tests/backends/webgpuQuirks.test.ts` looks for those that programs can see, and fails when one is gone. What drivers make
 * of floating-point arithmetic is in opacity.ts.
 */

/**
 * Dawn and wgpu compile `x != y` into "less or greater", which is false for NaN (SPIR-V's OpFOrdNotEqual). The negation
 * of `==` is right on all adapters tried.
 */
export const notEqualText = (x: string, y: string): string => `(!(${x} == ${y}))`;

/**
 * SwiftShader converts u32 to f32 with two roundings: 3307312975 becomes 3307313152, not 3307312896. Both halves are
 * exact, so that only the sum rounds.
 */
export const fromU32Text = `fn from_u32(x: u32) -> f32 {
  return f32(x >> 16u) * 65536f + f32(x & 0xffffu);
}`;

/**
 * WGSL leaves it open what `i32(x)` and `u32(x)` are for NaN, and Tint clamps to the greatest float below the limit:
 * i32(∞) is 2147483520.
 */
export const toWholeText = (type: "i32" | "u32"): string => {
  const [greatest, limit, zero] =
    type === "i32" ? ["2147483647i", "2147483648f", "0i"] : ["4294967295u", "4294967296f", "0u"];
  return `fn to_${type}(x: f32) -> ${type} {
  let nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
  return select(select(${type}(x), ${greatest}, x >= ${limit}), ${zero}, nan);
}`;
};

// Dawn in Node crashes when the object that `create` returned is collected while its adapters and devices live on
// (webgpu 0.6.2: 4 of 10 runs). Devices do not hold it, so this does, for as long as the process lives.
const kept: GPU[] = [];
export function keepAlive(gpu: GPU): GPU {
  kept.push(gpu);
  return gpu;
}

/** Whether an adapter computes on the CPU. Runtimes that do not know `isFallbackAdapter` yet at least tell its name. */
export function isSoftwareAdapter(adapter: GPUAdapter): boolean {
  const { vendor, architecture, device, description } = adapter.info;
  const names = `${vendor} ${architecture} ${device} ${description}`.toLowerCase();
  if (/swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/.test(names)) return true;
  return adapter.info.isFallbackAdapter ?? false;
}
