/** What values show in a cell: text always, HTML that is escaped and of bounded size, and never an error. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type NDArray,
  deviceInfo,
  devices,
  grad,
  init,
  jit,
  makeJaxpr,
  memoryInfo,
  numpy as np,
  random,
} from "../../src/index.ts";
import { arrays, pytrees, shapes } from "../../src/testing/index.ts";
import { type MimeBundle, show } from "../../src/notebook/index.ts";
import { escape } from "../../src/notebook/html.ts";

const display = Symbol.for("Jupyter.display");
const bundleOf = async (x: object): Promise<MimeBundle> => (x as Record<symbol, () => Promise<MimeBundle>>)[display]!();
const html = async (x: object): Promise<string> => (await bundleOf(x))["text/html"] ?? "";

describe("arrays", () => {
  test("show dtype, shape, device and values", async () => {
    const bundle = await bundleOf(
      np.array([
        [1, -2.5],
        [NaN, 1e-7],
      ]),
    );
    expect(bundle["text/plain"]).toContain("dtype=float32");
    expect(bundle["text/html"]).toContain("float32 (2, 2) on wasm:0");
    for (const text of [">1<", ">-2.5<", ">nan<", ">1e-7<"]) expect(bundle["text/html"]).toContain(text);
  });

  test("what is greater is stronger, and the sign is the colour", async () => {
    const cells = (await html(np.array([4, 2, 0, -4]))).match(/<td[^>]*>/g)!;
    expect(cells.map((c) => /rgba\((\d+).*?([\d.]+)\)/.exec(c)?.slice(1))).toEqual([
      ["31", "0.50"],
      ["31", "0.25"],
      undefined,
      ["214", "0.50"],
    ]);
  });

  test("of every shape and dtype show something bounded", async () => {
    const dtypes = ["bool", "int8", "uint32", "float16", "float32", "complex64"] as const;
    await fc.assert(
      fc.asyncProperty(arrays({ shape: shapes({ minLength: 0 }), dtype: fc.constantFrom(...dtypes) }), async (x) => {
        const bundle = await bundleOf(x);
        expect(bundle["text/plain"]).toContain("Array(");
        expect(bundle["text/html"]).toContain(x.dtype);
        expect(bundle["text/html"]).not.toContain("undefined");
      }),
    );
  });

  test("a large one shows eleven rows and columns", async () => {
    for (const x of [np.zeros([1000, 1000]), np.arange(100_000), np.ones([50, 50, 50])]) {
      const text = await html(x);
      expect(text.length).toBeLessThan(20_000);
      expect((text.match(/<tr>/g) ?? []).length).toBeLessThanOrEqual(12);
    }
    expect(await html(np.arange(100_000))).toContain("99999");
  });

  test("keys are opaque, and disposed arrays say what they were", async () => {
    expect(await html(random.key(0))).toContain("key&lt;fry&gt;");
    const x = np.ones([2]);
    x.dispose();
    expect((await bundleOf(x))["text/plain"]).toContain("float32[2]");
  });

  test("tracers show text, and inside any transformation", async () => {
    const seen: object[] = [];
    const look = (x: NDArray): NDArray => {
      seen.push(x);
      return np.sum(x);
    };
    const now: unknown[] = [];
    jit((x: NDArray) => {
      now.push((x as unknown as Record<symbol, () => unknown>)[display]!());
      return look(x);
    })(np.ones([3]));
    grad(look)(np.ones([3]));
    for (const x of seen) {
      const bundle = await bundleOf(x);
      expect(bundle["text/plain"]).toContain("Traced<float32[3]>");
      expect(bundle["text/html"]).toBeUndefined();
    }
    expect(await now[0]).toEqual({ "text/plain": "Traced<float32[3]> (inside jit(<anonymous>))" });
  });
});

describe("other values", () => {
  test("programs and devices", async () => {
    const program = makeJaxpr((x: NDArray) => x.less(1))(np.ones([2]));
    expect((await bundleOf(program))["text/plain"]).toBe(String(program));
    expect(await html(program)).toContain("<pre>{ lambda ; a:f32[2]. let");
    expect(await html(makeJaxpr((k: NDArray) => k)(random.key(0)))).toContain("key&lt;fry&gt;");
    for (const x of [deviceInfo(), memoryInfo(), devices()[0]!]) {
      expect((await bundleOf(x))["text/plain"]).toBe(String(x));
      expect(await html(x)).toContain("wasm");
    }
  });

  test("trees: leaves with paths, types and values", async () => {
    const layers = [{ w: np.ones([2, 2]) }, { w: np.zeros([2]) }];
    const bundle = await bundleOf(show({ layers, name: "net", step: 3 }));
    expect(bundle["text/plain"]!.split("\n")).toEqual([
      "4 leaves, 6 elements",
      ".layers[0].w  float32 (2, 2) on wasm:0  [[1. 1.] [1. 1.]]",
      ".layers[1].w  float32 (2,) on wasm:0  [0. 0.]",
      ".name  string  net",
      ".step  number  3",
    ]);
    const many = Array.from({ length: 500 }, () => np.ones([1]));
    expect((await bundleOf(show(many)))["text/plain"]).toContain("… and 440 more");
  });

  test("histories: first, last, extremes and a curve", async () => {
    const bundle = await bundleOf(show({ loss: [3, 0.5, 1], accuracy: [0.1, NaN, 0.9] }));
    expect(bundle["text/plain"]).toBe(
      "loss: 3 values, 3 → 1, between 0.5 and 3\naccuracy: 3 values, 0.1 → 0.9, between 0.1 and 0.9",
    );
    expect(bundle["text/html"]!.match(/<polyline/g)).toHaveLength(2);
    const long = await html(show({ loss: Array.from({ length: 1e5 }, (_, i) => i) }));
    expect(long.length).toBeLessThan(3000);
  });

  test("anything else: something, and nothing throws", async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (x) => {
        expect(typeof (await bundleOf(show(x)))["text/plain"]).toBe("string");
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(pytrees(arrays()), async (t) => {
        expect(typeof (await bundleOf(show(t)))["text/plain"]).toBe("string");
      }),
    );
  });

  test("all text is escaped", async () => {
    const nasty = `<img src=x onerror="alert('&')">`;
    const bundles = [show({ [nasty]: np.ones([1]), x: nasty }), show({ [nasty]: [1, 2, 3] })];
    for (const x of bundles) {
      expect(await html(x)).not.toContain("<img");
      expect(await html(x)).toContain("&lt;img");
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escape(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});

describe("on a device that cannot be read at once", () => {
  beforeAll(() => init("webgpu"));
  afterAll(() => init("wasm"));
  test("values are waited for", async () => {
    const bundle = await bundleOf(np.arange(3).mul(2));
    expect(bundle["text/plain"]).toBe("Array([0, 2, 4], dtype=int32)");
    expect(bundle["text/html"]).toContain("on webgpu:0");
    expect(bundle["text/html"]).toContain(">4<");
    expect((await bundleOf(show({ w: np.ones([2]) })))["text/plain"]).toContain("[1. 1.]");
  });
});
