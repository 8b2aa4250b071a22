/** Histories of training: objects of lists of numbers, such as `{ loss: [2.3, 0.9], accuracy: [0.1, 0.8] }`, with a line of each. */
import type { MimeBundle } from "../core/display.ts";
import { escape, shortNumber, table } from "./html.ts";

export type History = Readonly<Record<string, readonly number[]>>;

const isSeries = (x: unknown): x is readonly number[] =>
  Array.isArray(x) && x.length > 1 && x.every((v) => typeof v === "number");

export const isHistory = (x: unknown): x is History =>
  typeof x === "object" &&
  x !== null &&
  Object.getPrototypeOf(x) === Object.prototype &&
  Object.keys(x).length > 0 &&
  Object.values(x).every(isSeries);

/** Length, first, last, least and greatest value of each series, and its curve. */
export function historyBundle(history: History): MimeBundle {
  const rows = Object.entries(history).map(([name, series]) => {
    const finite = series.filter(Number.isFinite);
    const range = [
      finite.reduce((a, b) => Math.min(a, b), Infinity),
      finite.reduce((a, b) => Math.max(a, b), -Infinity),
    ];
    return { name, series, numbers: [series[0]!, series.at(-1)!, ...range].map(shortNumber) };
  });
  const text = rows.map(
    ({ name, series, numbers: [first, last, least, greatest] }) =>
      `${name}: ${series.length} values, ${first} → ${last}, between ${least} and ${greatest}`,
  );
  return {
    "text/plain": text.join("\n"),
    "text/html": table(
      ["", "values", "first", "last", "least", "greatest", ""],
      rows.map(({ name, series, numbers }) => [escape(name), String(series.length), ...numbers, sparkline(series)]),
    ),
  };
}

const WIDTH = 120;
const HEIGHT = 24;

/** A curve the size of a word, of at most as many points as it is wide. */
function sparkline(series: readonly number[]): string {
  const finite = series.filter(Number.isFinite);
  const [least, greatest] = [
    finite.reduce((a, b) => Math.min(a, b), Infinity),
    finite.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  const points = Math.min(series.length, WIDTH);
  const places = Array.from({ length: points }, (_, i) => Math.round((i * (series.length - 1)) / (points - 1)));
  const x = (i: number): string => ((i * WIDTH) / (series.length - 1)).toFixed(1);
  const y = (v: number): string => (HEIGHT - 1 - ((HEIGHT - 2) * (v - least)) / (greatest - least || 1)).toFixed(1);
  const path = places.flatMap((i) => (Number.isFinite(series[i]) ? [`${x(i)},${y(series[i]!)}`] : [])).join(" ");
  return `<svg width="${WIDTH}" height="${HEIGHT}"><polyline points="${path}" fill="none" stroke="#1f77b4"/></svg>`;
}
