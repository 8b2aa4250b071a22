import { describe, expect, test } from "vitest";
import {
  DeviceError,
  NDArray,
  blockUntilReady,
  defaultDevice,
  deviceGet,
  devicePut,
  devices,
  init,
  jit,
  nn,
  numpy as np,
} from "../../src/index.ts";

describe("devices", () => {
  test("a GPU is there after init, and asking for it before says so", () => {
    for (const ask of [() => defaultDevice("webgpu"), () => jit((x: NDArray) => x, { device: "webgpu" })(np.ones([1]))])
      expect(ask).toThrow(/await init\("webgpu"\)/);
  });

  test("the embedded device is there without any waiting", async () => {
    expect(devices().map(String)).toEqual(["wasm:0", "cpu:0"]);
    expect(String(defaultDevice())).toBe("wasm:0");
    expect(String(await init())).toBe("wasm:0");
    expect(String(defaultDevice("cpu"))).toBe("cpu:0");
    expect(String(defaultDevice("wasm"))).toBe("wasm:0");
  });

  test("programs that were made on one device run on another once that is the default", () => {
    const double = jit((x: NDArray) => x.add(x));
    const ones = (): NDArray => np.ones([2, 3]);
    const run = (): (readonly [string, unknown])[] =>
      [double(ones()), nn.softmax(ones()), np.hypot(ones(), 1)].map((y) => [y.device, y.js()]);
    const before = run();
    expect(before.map(([device]) => device)).toEqual(["wasm:0", "wasm:0", "wasm:0"]);
    defaultDevice("cpu");
    try {
      const there = run();
      expect(there.map(([device]) => device)).toEqual(["cpu:0", "cpu:0", "cpu:0"]);
      there.forEach(([, values], i) => expect(JSON.stringify(values)).toBe(JSON.stringify(before[i]![1])));
    } finally {
      defaultDevice("wasm");
    }
    expect(run()).toEqual(before);
  });

  test("an unknown device is an error that lists the known ones", () => {
    for (const ask of [
      () => devices("tpu"),
      () => defaultDevice("tpu"),
      () => devicePut(1, "tpu"),
      () => jit((x: NDArray) => x, { device: "tpu" })(np.ones([1])),
    ]) {
      expect(ask).toThrow(DeviceError);
      expect(ask).toThrow(/cpu/);
    }
  });

  test("devicePut makes arrays of the leaves, deviceGet plain values", async () => {
    const put = devicePut({ w: [1, 2], b: Float32Array.of(3, 4), name: null });
    expect(put.w[0]).toBeInstanceOf(NDArray);
    expect(await deviceGet(put)).toEqual({ w: [1, 2], b: [3, 4], name: null });
    expect(await deviceGet({ x: np.array([[1, 2]]), n: 3 })).toEqual({ x: [[1, 2]], n: 3 });
  });

  test("blockUntilReady gives its argument back", async () => {
    const tree = { a: np.ones([2]) };
    expect(await blockUntilReady(tree)).toBe(tree);
  });
});

describe("ownership", () => {
  test("using an array many times just works", () => {
    const x = np.ones([3]);
    for (let i = 0; i < 3; i++) expect(np.sum(x.add(x)).item()).toBe(6);
  });

  test("dispose frees at once, twice is fine, and later uses say so", () => {
    const x = np.ones([3]);
    x.dispose();
    x.dispose();
    expect(() => x.add(1)).toThrow(/after it had been disposed/);
    expect(() => x.dataSync()).toThrow(DeviceError);
  });

  test("donated arguments are given away, results and other arguments stay", () => {
    const f = jit((x: NDArray, y: NDArray) => [x.add(y), x] as const, { donateArgnums: 0 });
    const [x, y] = [np.ones([2]), np.ones([2])];
    const [sum, same] = f(x, y);
    expect(sum.js()).toEqual([2, 2]);
    expect(same.js()).toEqual([1, 1]);
    expect(y.js()).toEqual([1, 1]);
    expect(() => x.js()).toThrow(/donated/);
  });

  test("values given as typed arrays are copied: later writes do not show", () => {
    const data = Float32Array.of(1, 2, 3);
    const x = np.array(data);
    data[0] = 100;
    expect(x.js()).toEqual([1, 2, 3]);
    const read = x.dataSync();
    read[0] = 100;
    expect(x.js()).toEqual([1, 2, 3]);
  });
});
