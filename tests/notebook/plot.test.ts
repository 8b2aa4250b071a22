/** Plots and images: what the SVG holds, the pixels of the PNG, errors that say what to install. */
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { numpy as np, random } from "../../src/index.ts";
import { type Figure, plot } from "../../src/notebook/index.ts";
import { load } from "../../src/notebook/libraries.ts";
import { thin } from "../../src/notebook/thin.ts";
import fc from "fast-check";

const texts = (figure: Figure): string[] => [...figure.svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text]) => text!);

describe("curves", () => {
  test("have a legend, labels and a logarithmic axis", async () => {
    const figure = await plot.lines(
      { train: [1, 0.1, 0.001], test: np.array([1, 0.5, 0.3]) },
      { xLabel: "step", yLabel: "loss", logY: true, title: "a fit" },
    );
    expect(texts(figure)).toEqual(expect.arrayContaining(["train", "test", "step", "loss", "a fit"]));
    // Equal factors are equal distances: 0.001, 0.01, 0.1 and 1 in even steps.
    const path =
      /aria-roledescription="line mark"[^>]* d="M([^"]*)"/.exec(figure.svg) ??
      /class="mark-line[^>]*><path[^>]* d="M([^"]*)"/.exec(figure.svg);
    const ys = path![1]!.split("L").map((point) => Number(point.split(",")[1]));
    expect(ys).toHaveLength(3);
    expect((ys[2]! - ys[1]!) / (ys[1]! - ys[0]!)).toBeCloseTo(2, 1);
  });

  test("are the same each time, and complete without a page", async () => {
    const [a, b] = [await plot.lines([1, 3, 2]), await plot.lines([1, 3, 2])];
    expect(a.svg).toBe(b.svg);
    expect(a.svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>$/);
    expect(String(a)).toBe("Figure: a curve");
  });

  test("leave out what cannot be drawn", async () => {
    const figure = await plot.lines([1, NaN, Infinity, -1, 4], { logY: true });
    expect(figure.svg).not.toMatch(/NaN|Infinity/);
  });

  test("escape what they are called", async () => {
    const figure = await plot.lines({ "<script>": [1, 2], b: [2, 1] }, { title: "<b>" });
    expect(figure.svg).not.toMatch(/<script|<b>/);
  });

  test("of many points are drawn with few, extremes among them", async () => {
    const long = await plot.lines(Array.from({ length: 100_000 }, (_, i) => Math.sin(i)));
    expect(long.svg.length).toBeLessThan(60_000);
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1001, maxLength: 3000 }), (values) => {
        const kept = thin(values).map((i) => values[i]!);
        const extremes = (xs: readonly number[]): readonly number[] => [
          xs.reduce((a, b) => Math.min(a, b)),
          xs.reduce((a, b) => Math.max(a, b)),
        ];
        const finite = (xs: readonly number[]): number[] => xs.filter(Number.isFinite);
        expect(kept.length).toBeLessThanOrEqual(1002);
        if (finite(values).length > 0) expect(extremes(finite(kept))).toEqual(extremes(finite(values)));
        expect([kept[0], kept.at(-1)]).toEqual([values[0], values.at(-1)]);
      }),
    );
  });

  test("need as many places as values", async () => {
    await expect(plot.lines([1, 2], { x: [1, 2, 3] })).rejects.toMatchObject({ code: "PlotLengths" });
    await expect(plot.lines(np.ones([2, 2]))).rejects.toMatchObject({ code: "PlotValues" });
    await expect(plot.lines([1, 2], { xlabel: "x" } as object)).rejects.toMatchObject({ code: "UnknownOption" });
  });
});

test("points have the colours of their groups", async () => {
  const figure = await plot.scatter([0, 1, 2], [1, 3, 2], { groups: ["cats", "dogs", "cats"] });
  expect(texts(figure)).toEqual(expect.arrayContaining(["cats", "dogs"]));
  const fills = [...figure.svg.matchAll(/aria-roledescription="circle"[^>]*fill="(#\w+)"/g)].map(([, fill]) => fill);
  expect(fills).toHaveLength(3);
  expect(fills[0]).toBe(fills[2]);
  expect(fills[0]).not.toBe(fills[1]);
});

test("a histogram counts every finite value once", async () => {
  const figure = await plot.histogram(random.normal(random.key(0), [50, 20]), { bins: 7, yLabel: "count" });
  expect(String(figure)).toBe("Figure: histogram of 1000 values in 7 bins");
  const counts = [...figure.svg.matchAll(/aria-roledescription="bar"|count: (\d+)/g)].flatMap(([, n]) =>
    n ? [Number(n)] : [],
  );
  expect(counts.reduce((a, b) => a + b, 0)).toBe(1000);
  await expect(plot.histogram([NaN])).rejects.toMatchObject({ code: "Histogram" });
});

describe("images", () => {
  const pixel = (figure: Figure, x: number, y: number): number[] => {
    const { data, width } = decode(figure.png!);
    return Array.from(data.slice(4 * (y * width + x), 4 * (y * width + x) + 4));
  };

  test("are grey, coloured or transparent", async () => {
    const grey = await plot.images(
      [
        [0, 0.5],
        [1, 0.25],
      ],
      { scale: 1 },
    );
    expect([pixel(grey, 0, 0), pixel(grey, 1, 0), pixel(grey, 0, 1)]).toEqual([
      [0, 0, 0, 255],
      [128, 128, 128, 255],
      [255, 255, 255, 255],
    ]);
    const colour = await plot.images(np.array([[[1, 0, 0.5]]]), { scale: 1 });
    expect(pixel(colour, 0, 0)).toEqual([255, 0, 128, 255]);
    const glass = await plot.images(np.array([[[1, 0, 0, 0.5]]]), { scale: 1 });
    expect(pixel(glass, 0, 0)).toEqual([255, 0, 0, 128]);
    const bytes = await plot.images(np.array(new Uint8Array([7, 255])).reshape(1, 2), { scale: 1 });
    expect([pixel(bytes, 0, 0)[0], pixel(bytes, 1, 0)[0]]).toEqual([7, 255]);
  });

  test("lie in a grid, with gaps and labels", async () => {
    const batch = np.stack([0, 1, 0.5].map((v) => np.full([2, 2], v)));
    const figure = await plot.images(batch, { columns: 2, scale: 3, labels: ["<a>", "b", "c"] });
    const { width, height } = decode(figure.png!);
    expect([width, height]).toEqual([6 + 4 + 6, 2 * (6 + 14) + 4]);
    expect([pixel(figure, 5, 5)[0], pixel(figure, 10, 0)[0], pixel(figure, 0, 24)[0]]).toEqual([0, 255, 128]);
    expect(pixel(figure, 7, 0)[3]).toBe(0);
    expect(texts(figure)).toEqual(["&lt;a&gt;", "b", "c"]);
    const bundle = (figure as unknown as Record<symbol, () => Record<string, string>>)[
      Symbol.for("Jupyter.display")
    ]!();
    expect(Object.keys(bundle).sort()).toEqual(["image/png", "text/html", "text/plain"]);
    expect(Uint8Array.from(atob(bundle["image/png"]!), (c) => c.charCodeAt(0))).toEqual(figure.png);
  });

  test("of a large batch are some", async () => {
    const figure = await plot.images(np.zeros([100, 2, 2]), { limit: 10 });
    expect(String(figure)).toBe("Figure: 100 images of 2 × 2, the first 10");
  });

  test.each([
    [np.ones([3]), {}, "ImageShape"],
    [np.ones([2, 2, 2, 2]), {}, "ImageShape"],
    [np.ones([2, 5, 5]), { labels: ["one"] }, "ImageLabels"],
    [np.ones([2, 2]), { scale: 0.5 }, "ImageOptions"],
  ])("say what is wrong: %#", async (x, options, code) => {
    await expect(plot.images(x, options)).rejects.toMatchObject({ code });
  });
});

test("a package that is missing is named, with the command that installs it", async () => {
  const error = await load("no-such-package-of-ours", "vega vega-lite").catch((e: unknown) => e as Error);
  expect(error).toMatchObject({ name: "DeviceError", code: "MissingPackage" });
  expect((error as Error).message).toContain("npm install vega vega-lite");
  expect((error as Error).message).toContain("deno add npm:vega npm:vega-lite");
});
