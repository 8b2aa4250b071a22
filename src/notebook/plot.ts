/** Plots: curves, points and histograms, as specifications that Vega-Lite draws. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { checkOptions } from "../core/call.ts";
import { isComplex } from "../core/dtype.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import * as np from "../numpy/index.ts";
import { Figure } from "./figure.ts";
import { svgOf } from "./libraries.ts";
import { thin } from "./thin.ts";

export { type ImageOptions, images } from "./images.ts";

/** How a plot looks. */
export interface PlotOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Logarithmic axes; what is not positive is left out. */
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** Of the area between the axes, in pixels. Default 480 × 240. */
  readonly width?: number;
  readonly height?: number;
}
export interface LinesOptions extends PlotOptions {
  /** The horizontal places of the values of every series. Default 0, 1, 2, … */
  readonly x?: ArrayLike;
}
export interface ScatterOptions extends PlotOptions {
  /** The group of each point, which gets a colour: names, or numbers. */
  readonly groups?: readonly (string | number)[] | ArrayLike;
}
export interface HistogramOptions extends PlotOptions {
  /** How many intervals of equal width. Default 30. */
  readonly bins?: number;
}

const plotOptions = ["title", "xLabel", "yLabel", "logX", "logY", "width", "height"];

/** The numbers of an array with one axis, waiting for its device. */
async function numbers(what: string, x: ArrayLike): Promise<number[]> {
  const array = np.asarray(x);
  if (isComplex(array.dtype) || array.ndim !== 1)
    throw new ShapeError("PlotValues", {
      what: `${what}: expected real values with one axis, found ${array.describe()}`,
      why: `a plot has one value for each place, and ${isComplex(array.dtype) ? "a complex number is two" : `shape ${shapeText(array.shape)} has ${array.ndim} axes`}`,
      fix: "pass x.ravel(), a row x.slice(0), or x.real",
    });
  return Array.from(await array.data(), Number);
}

function sameLength(what: string, a: number, b: number, names: string): void {
  if (a !== b)
    throw new ShapeError("PlotLengths", {
      what: `${what}: ${names} have ${a} and ${b} values`,
      why: "each point has one of both",
      fix: "pass as many of one as of the other",
    });
}

const visible = (v: number, log: boolean | undefined): boolean => Number.isFinite(v) && (!log || v > 0);

/** An axis; scales begin where values do, except for the counts of a histogram. */
const axis = (field: string, label: string | undefined, log: boolean | undefined): object => ({
  field,
  type: "quantitative",
  title: label ?? null,
  scale: log ? { type: "log" } : { zero: false },
});

const frame = (options: PlotOptions): object => ({
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  background: "white",
  width: options.width ?? 480,
  height: options.height ?? 240,
  ...(options.title === undefined ? {} : { title: options.title }),
});

/**
 * Curves, one for each series, with a legend if there are several. Of a series longer than 1000 values, the least and the greatest
 * of each of 500 stretches are drawn, so that a page stays small. Values that are not finite are left out.
 *
 * Needs the packages `vega` and `vega-lite`.
 *
 * @param series lists or arrays with one axis, by name; one alone may come without a name.
 * @throws ShapeError if a series has not one axis, DeviceError if the packages are missing.
 * @example
 * const figure = await plot.lines({ train: [1, 0.5, 0.25], test: [1, 0.7, 0.6] }, { xLabel: "step", yLabel: "loss", logY: true });
 * figure.svg.slice(0, 4) // "<svg"
 */
export async function lines(
  series: Readonly<Record<string, ArrayLike>> | ArrayLike,
  options: LinesOptions = {},
): Promise<Figure> {
  checkOptions("plot.lines", options, [...plotOptions, "x"]);
  const named = isNamed(series) ? series : { "": series };
  const x = options.x === undefined ? null : await numbers("plot.lines: x", options.x);
  const points = [];
  for (const [name, values] of Object.entries(named)) {
    const y = await numbers(`plot.lines: ${name || "the series"}`, values);
    if (x) sameLength("plot.lines", x.length, y.length, `x and ${name || "the series"}`);
    for (const i of thin(y))
      if (visible(y[i]!, options.logY) && visible(x ? x[i]! : i, options.logX))
        points.push({ x: x ? x[i]! : i, y: y[i]!, name });
  }
  const names = Object.keys(named);
  const colour = names.length > 1 ? { color: { field: "name", type: "nominal", title: null, sort: names } } : {};
  const spec = {
    ...frame(options),
    data: { values: points },
    mark: { type: "line" },
    encoding: { x: axis("x", options.xLabel, options.logX), y: axis("y", options.yLabel, options.logY), ...colour },
  };
  const what = names.length > 1 ? `curves of ${names.join(", ")}` : `a curve${names[0] ? ` of ${names[0]}` : ""}`;
  return new Figure(await svgOf(spec), `Figure: ${what}`);
}

const isNamed = (x: unknown): x is Readonly<Record<string, ArrayLike>> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/**
 * Points in the plane, in the colours of their groups.
 *
 * Needs the packages `vega` and `vega-lite`.
 *
 * @throws ShapeError if the two have different lengths or not one axis, DeviceError if the packages are missing.
 * @example
 * const figure = await plot.scatter([0, 1, 2], [1, 3, 2], { groups: ["a", "b", "a"] });
 * figure.toString() // "Figure: 3 points"
 */
export async function scatter(x: ArrayLike, y: ArrayLike, options: ScatterOptions = {}): Promise<Figure> {
  checkOptions("plot.scatter", options, [...plotOptions, "groups"]);
  const [xs, ys] = [await numbers("plot.scatter: x", x), await numbers("plot.scatter: y", y)];
  sameLength("plot.scatter", xs.length, ys.length, "x and y");
  const groups = options.groups === undefined ? null : await groupNames(options.groups);
  if (groups) sameLength("plot.scatter", xs.length, groups.length, "x and groups");
  const points = xs.flatMap((a, i) =>
    visible(a, options.logX) && visible(ys[i]!, options.logY)
      ? [{ x: a, y: ys[i]!, ...(groups ? { group: groups[i]! } : {}) }]
      : [],
  );
  const spec = {
    ...frame(options),
    data: { values: points },
    mark: { type: "circle", size: 20 },
    encoding: {
      x: axis("x", options.xLabel, options.logX),
      y: axis("y", options.yLabel, options.logY),
      ...(groups ? { color: { field: "group", type: "nominal", title: null } } : {}),
    },
  };
  return new Figure(await svgOf(spec), `Figure: ${xs.length} points`);
}

async function groupNames(groups: NonNullable<ScatterOptions["groups"]>): Promise<string[]> {
  if (Array.isArray(groups) && groups.every((g) => typeof g === "string")) return groups;
  return (await numbers("plot.scatter: groups", groups as ArrayLike)).map(String);
}

/**
 * How many values fall into each of some intervals of equal width.
 *
 * Needs the packages `vega` and `vega-lite`.
 *
 * @param values of any shape. Values that are not finite are left out.
 * @throws ArgumentError if there is no finite value, DeviceError if the packages are missing.
 * @example
 * const figure = await plot.histogram(random.normal(random.key(0), [1000]), { bins: 20 });
 * figure.toString() // "Figure: histogram of 1000 values in 20 bins"
 */
export async function histogram(values: ArrayLike, options: HistogramOptions = {}): Promise<Figure> {
  checkOptions("plot.histogram", options, [...plotOptions, "bins"]);
  const { bins = 30 } = options;
  const xs = (await numbers("plot.histogram", np.ravel(values))).filter(Number.isFinite);
  if (xs.length === 0 || !Number.isInteger(bins) || bins < 1)
    throw new ArgumentError("Histogram", {
      what: `plot.histogram: ${xs.length} finite values in ${String(bins)} bins`,
      why: "values are counted in intervals between the least and the greatest of them",
      fix: "pass at least one finite value, and a positive number of bins",
    });
  const [counts, edges] = np.histogram(np.array(xs), bins);
  const [n, ends] = [await counts.data(), await edges.data()];
  const bars = Array.from(n, (count, i) => ({
    start: Number(ends[i]),
    end: Number(ends[i + 1]),
    count: Number(count),
  }));
  const spec = {
    ...frame(options),
    data: { values: bars },
    mark: { type: "bar", binSpacing: 0 },
    encoding: {
      x: { ...axis("start", options.xLabel, options.logX), bin: { binned: true } },
      x2: { field: "end" },
      y: {
        field: "count",
        type: "quantitative",
        title: options.yLabel ?? null,
        scale: options.logY ? { type: "symlog" } : { zero: true },
      },
    },
  };
  return new Figure(await svgOf(spec), `Figure: histogram of ${xs.length} values in ${bins} bins`);
}
