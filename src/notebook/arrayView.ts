/**
 * An array as HTML: what it is (dtype, shape, device), and a table of its values, coloured by size, for one and two axes.
 * At most eleven rows and columns are shown, so a page stays small whatever the array.
 */
import type { MimeBundle } from "../core/display.ts";
import { isBool, isComplex, isKey } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { shapeText } from "../core/shape.ts";
import { Tracer } from "../core/trace.ts";
import { arrayText, reprText, valuesText } from "../numpy/print.ts";
import { escape, preformatted, shortNumber } from "./html.ts";

/** Rows or columns up to which all are shown; of more, EDGE at both ends. */
const MOST = 11;
const EDGE = 5;

/** The values of an array, waiting for the device; null for tracers, keys and arrays that were given up. */
export async function readForDisplay(x: NDArray): Promise<HostArray | null> {
  if (x instanceof Tracer || isKey(x.dtype)) return null;
  try {
    return await evaluator().read(x);
  } catch {
    return null;
  }
}

/** `float32 (2, 3) on wasm:0`; a tracer is nowhere yet. */
export function describeArray(x: NDArray): string {
  if (x instanceof Tracer) return `${x.dtype} ${shapeText(x.shape)}, traced inside ${x.home.name}`;
  const weak = x.weakType ? ", weak" : "";
  return `${x.dtype} ${shapeText(x.shape)}${weak} on ${evaluator().deviceOf(x)}`;
}

/** An array in text and HTML. */
export async function arrayBundle(x: NDArray): Promise<MimeBundle> {
  const host = await readForDisplay(x);
  const text = reprText(x, host ?? undefined);
  if (x instanceof Tracer) return { "text/plain": text };
  const title = `<div><code>${escape(describeArray(x))}</code></div>`;
  return { "text/plain": text, "text/html": title + (host ? values(host) : preformatted(arrayText(x))) };
}

function values(host: HostArray): string {
  const [rows, columns] = host.shape.length === 2 ? host.shape : [1, host.shape[0]];
  const isTable = (host.shape.length === 1 || host.shape.length === 2) && rows * columns! > 0;
  return isTable ? heatTable(host, rows, columns!) : preformatted(valuesText(host));
}

/** Positions along an axis that are shown; -1 stands for those left out. */
const places = (n: number): readonly number[] =>
  n <= MOST
    ? Array.from({ length: n }, (_, i) => i)
    : [...Array.from({ length: EDGE }, (_, i) => i), -1, ...Array.from({ length: EDGE }, (_, i) => n - EDGE + i)];

function heatTable(host: HostArray, rows: number, columns: number): string {
  const [shownRows, shownColumns] = [places(rows), places(columns)];
  const background = colours(host, shownRows, shownColumns, columns);
  const cell = (r: number, c: number): string => {
    if (r < 0 || c < 0) return `<td>…</td>`;
    const i = r * columns + c;
    return `<td style="text-align: right${background(i)}">${escape(elementText(host, i))}</td>`;
  };
  const head = shownColumns.map((c) => `<th>${c < 0 ? "" : c}</th>`).join("");
  const body = shownRows.map(
    (r) =>
      `<tr><th>${r < 0 || host.shape.length === 1 ? "" : r}</th>${shownColumns.map((c) => cell(r, c)).join("")}</tr>`,
  );
  return `<table><thead><tr><th></th>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

function elementText({ data, dtype }: HostArray, i: number): string {
  if (isBool(dtype)) return data[i] !== 0 ? "true" : "false";
  if (!isComplex(dtype)) return shortNumber(data[i]!);
  const [re, im] = [data[2 * i]!, data[2 * i + 1]!];
  return `${shortNumber(re)}${im < 0 ? "" : "+"}${shortNumber(im)}j`;
}

/** Blue for what is above zero and red for what is below, stronger the further away, among the values that are shown. */
function colours(
  { data, dtype }: HostArray,
  rows: readonly number[],
  columns: readonly number[],
  width: number,
): (i: number) => string {
  if (isComplex(dtype)) return () => "";
  const shown = rows.flatMap((r) => columns.flatMap((c) => (r < 0 || c < 0 ? [] : [Math.abs(data[r * width + c]!)])));
  const largest = Math.max(...shown.filter(Number.isFinite), 0);
  return (i) => {
    const share = data[i]! / largest;
    if (!Number.isFinite(share) || share === 0) return "";
    return `; background: rgba(${share > 0 ? "31, 119, 180" : "214, 39, 40"}, ${(0.5 * Math.abs(share)).toFixed(2)})`;
  };
}
