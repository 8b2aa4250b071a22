/**
 * Text forms of arrays: NumPy's layout with elision for concrete arrays, the aval for traced ones, HTML for notebooks.
 */
import { isBool, isComplex, isInteger, isKey } from "../core/dtype.ts";
import type { MimeBundle } from "../core/display.ts";
import { evaluator } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { sizeOf } from "../core/shape.ts";
import { Tracer } from "../core/trace.ts";

export interface PrintOptions {
  /** Digits after the point. */
  readonly precision: number;
  /** Number of elements from which on the middle is left out. */
  readonly threshold: number;
  /** Elements shown at both ends where the middle is left out. */
  readonly edgeitems: number;
  /** Characters per line. */
  readonly linewidth: number;
  /** Whether small numbers are shown as 0 rather than with an exponent. */
  readonly suppress: boolean;
}
const defaults: PrintOptions = { precision: 8, threshold: 1000, edgeitems: 3, linewidth: 75, suppress: false };
let current: PrintOptions = defaults;

/** How arrays are printed now. */
export const getPrintoptions = (): PrintOptions => current;

/**
 * Changes how arrays are printed.
 *
 * @example
 * np.setPrintoptions({ precision: 3 });
 */
export function setPrintoptions(options: Partial<PrintOptions>): void {
  current = { ...current, ...options };
}

/** Runs `body` with other print options. */
export function printoptions<T>(options: Partial<PrintOptions>, body: () => T): T {
  const before = current;
  setPrintoptions(options);
  try {
    return body();
  } finally {
    current = before;
  }
}

const FLOAT32_DIGITS = 9;

/** The shortest decimal that gives the number back in its precision. */
function shortest(x: number, single: boolean): number {
  if (!single || !Number.isFinite(x)) return x;
  for (let digits = 1; digits < FLOAT32_DIGITS; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return short;
  }
  return x;
}

const special = (x: number): string => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");
const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/0+$/, "") : text);
const decimalsOf = (text: string): number => (text.split(".")[1] ?? "").length;
/** Two digits in the exponent and a point in the mantissa, as Python prints them. */
const pythonExponent = (text: string): string => text.replace(/e([+-])(\d)$/, "e$10$2").replace(/^(-?\d+)e/, "$1.e");

/** Prints the numbers of one array all in one form: with as many decimals as are needed, or all with exponents. */
function floatFormat(
  values: readonly number[],
  single: boolean,
  { precision, suppress }: PrintOptions,
): (x: number) => string {
  const finite = values.filter(Number.isFinite).map((v) => shortest(v, single));
  const sizes = finite.filter((v) => v !== 0).map(Math.abs);
  const [largest, smallest] = [Math.max(0, ...sizes), Math.min(Infinity, ...sizes)];
  if (sizes.length > 0 && (largest >= 1e16 || (!suppress && (smallest < 1e-4 || largest / smallest > 1e8)))) {
    const mantissa = (v: number): string => Number(v.toExponential(precision)).toExponential().split("e")[0]!;
    const digits = Math.max(0, ...finite.map((v) => decimalsOf(mantissa(v))));
    return (x) => (Number.isFinite(x) ? pythonExponent(shortest(x, single).toExponential(digits)) : special(x));
  }
  const decimals = Math.max(0, ...finite.map((v) => decimalsOf(trimZeros(v.toFixed(precision)))));
  return (x) => {
    if (!Number.isFinite(x)) return special(x);
    const text = shortest(x, single).toFixed(decimals);
    // Points stand one below the other: what is cut off at the end is filled with spaces.
    return decimals === 0 ? `${text}.` : trimZeros(text).padEnd(text.length);
  };
}

/** Element `i` of the data as text. */
function formatter(x: HostArray, shown: readonly number[], options: PrintOptions): (i: number) => string {
  const { data, dtype } = x;
  if (isBool(dtype)) return (i) => (data[i] !== 0 ? "true" : "false");
  if (isInteger(dtype)) return (i) => String(data[i]);
  const single = dtype !== "float64";
  const half = dtype === "float16" || dtype === "bfloat16";
  const format = (lane: number, lanes: number): ((v: number) => string) =>
    floatFormat(
      shown.map((i) => data[i * lanes + lane]!),
      single,
      half ? { ...options, precision: Math.min(options.precision, 4) } : options,
    );
  if (!isComplex(dtype)) {
    const one = format(0, 1);
    return (i) => one(data[i]!);
  }
  const [re, im] = [format(0, 2), format(1, 2)];
  return (i) => {
    const part = im(data[2 * i + 1]!).trim();
    return `${re(data[2 * i]!).trim()}${part.startsWith("-") ? "" : "+"}${part}j`;
  };
}

/** Positions along an axis that are shown; -1 stands for those left out. */
function places(n: number, elide: boolean, edge: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  return elide && n > 2 * edge ? [...all.slice(0, edge), -1, ...all.slice(n - edge)] : all;
}

/** The values in NumPy's layout, with `separator` between elements. */
export function valuesText(x: HostArray, separator = " ", options: PrintOptions = current): string {
  const { shape } = x;
  if (sizeOf(shape) === 0) return "[]";
  const elide = sizeOf(shape) > options.threshold;
  const shown: number[] = [];
  const visit = (axis: number, base: number): void => {
    if (axis === shape.length) shown.push(base);
    else
      for (const p of places(shape[axis]!, elide, options.edgeitems))
        if (p >= 0) visit(axis + 1, base * shape[axis]! + p);
  };
  visit(0, 0);
  const format = formatter(x, shown, options);
  if (shape.length === 0) return format(0).trim();
  const width = Math.max(...shown.map((i) => format(i).length));
  const build = (axis: number, base: number, indent: string): string => {
    if (axis === shape.length) return format(base).padStart(width);
    const parts = places(shape[axis]!, elide, options.edgeitems).map((p) =>
      p < 0 ? "..." : build(axis + 1, base * shape[axis]! + p, `${indent} `),
    );
    const depth = shape.length - 1 - axis;
    if (depth > 0) return `[${parts.join(`${separator.trimEnd()}${"\n".repeat(depth)}${indent} `)}]`;
    return `[${wrapLine(parts, separator, `${indent} `, options.linewidth)}]`;
  };
  return build(0, 0, "");
}

/** Elements of one line, broken where it gets too long. */
function wrapLine(parts: readonly string[], separator: string, indent: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line}${separator}${part}`;
    if (line !== "" && indent.length + longer.length > width) {
      lines.push(line);
      line = part;
    } else line = longer;
  }
  return [...lines, line].join(`${separator.trimEnd()}\n${indent}`);
}

/** Concrete values, if they can be had at once. */
function hostOf(x: NDArray): HostArray | null {
  const concrete = x.concrete();
  if (!concrete || isKey(x.dtype)) return null;
  try {
    return evaluator().toHost(concrete);
  } catch {
    return null;
  }
}

/** `Traced<float32[3]> (inside jit(f))`. */
export const tracedText = (x: Tracer): string => `Traced<${String(x.aval)}> (inside ${x.home.name})`;

/** The text of an array: its values, or its aval where they cannot be read now. */
export function arrayText(x: NDArray): string {
  if (x instanceof Tracer && x.concrete() === null) return tracedText(x);
  const host = hostOf(x);
  return host ? valuesText(host) : `Array<${String(x.aval)}>`;
}

/** Values with shape and dtype: what consoles show. Values that had to be waited for are given. */
export function reprText(x: NDArray, given?: HostArray): string {
  if (x instanceof Tracer) {
    const inner = x.concrete();
    return inner ? `${tracedText(x)} with value ${arrayText(inner)}` : tracedText(x);
  }
  const host = given ?? hostOf(x);
  const type = `${x.dtype}${x.weakType && !(x instanceof Literal) ? ", weakType=true" : ""}`;
  if (!host) return `Array<${String(x.aval)}>`;
  const values = valuesText(host, ", ").replace(/\n(?=[^\n])/g, "\n      ");
  const shape = x.size === 0 && x.ndim !== 1 ? `, shape=[${x.shape.join(", ")}]` : "";
  return `Array(${isComplex(x.dtype) && x.ndim === 0 ? `(${values})` : values}, dtype=${type}${shape})`;
}

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** A table for matrices, preformatted text for everything else. */
export function arrayHtml(x: NDArray, given?: HostArray): string {
  const title = `<div><code>${escape(`${x.dtype}[${x.shape.join(", ")}]`)}</code></div>`;
  const host = given ?? hostOf(x);
  if (!host || x.ndim !== 2 || x.size === 0)
    return `${title}<pre>${escape(host ? valuesText(host) : arrayText(x))}</pre>`;
  const [rows, columns] = x.shape as readonly [number, number];
  const shownRows = places(rows, rows > 20, 5);
  const shownColumns = places(columns, columns > 20, 5);
  const shown = shownRows.flatMap((r) => shownColumns.flatMap((c) => (r < 0 || c < 0 ? [] : [r * columns + c])));
  const format = formatter(host, shown, current);
  const cell = (r: number, c: number): string => (r < 0 || c < 0 ? "…" : escape(format(r * columns + c)));
  const body = shownRows
    .map((r) => `<tr>${shownColumns.map((c) => `<td style="text-align: right">${cell(r, c)}</td>`).join("")}</tr>`)
    .join("");
  return `${title}<table><tbody>${body}</tbody></table>`;
}

const mimeBundle = (x: NDArray, host?: HostArray): MimeBundle => ({
  "text/plain": reprText(x, host),
  "text/html": arrayHtml(x, host),
});

/** What a notebook shows of an array, unless a renderer is installed. Where values cannot be read at once, it waits. */
export function arrayMime(x: NDArray): MimeBundle | Promise<MimeBundle> {
  return x instanceof Tracer || isKey(x.dtype) || hostOf(x) ? mimeBundle(x) : mimeBundleLater(x);
}
async function mimeBundleLater(x: NDArray): Promise<MimeBundle> {
  try {
    return mimeBundle(x, await evaluator().read(x));
  } catch {
    // An array that was disposed of has no values: its text says what it was.
    return mimeBundle(x);
  }
}

/** The text of an array as `toString` gives it. */
export const arrayStr = (x: NDArray): string => arrayText(x);
/** The text of an array with its dtype. */
export const arrayRepr = (x: NDArray): string => reprText(x);
