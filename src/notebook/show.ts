/**
 * What a value looks like in a cell, whatever it is: an array, a program, a device, a tree of arrays, a history of
 * training. `mimeOf` never throws: a value that cannot be shown otherwise shows its text.
 */
import { type MimeBundle, jupyterDisplay } from "../core/display.ts";
import { NDArray } from "../core/ndarray.ts";
import { TracedProgram } from "../transforms/makeJaxpr.ts";
import * as tree from "../tree/index.ts";
import { arrayBundle, describeArray, readForDisplay } from "./arrayView.ts";
import { isHistory, historyBundle } from "./history.ts";
import { escape, preformatted, shortNumber, table } from "./html.ts";
import { valuesText } from "../numpy/print.ts";

/** Leaves of a tree that get a row. */
const MOST_LEAVES = 60;
/** Characters of a leaf's values. */
const PREVIEW = 48;

/** Something that a cell shows: Deno's kernel asks it, and `display` does everywhere else. */
export interface Displayable {
  /** The forms of the value, by MIME type; under the symbol that notebooks look for. */
  [key: symbol]: () => MimeBundle | Promise<MimeBundle>;
  toString(): string;
}

/** The method that a value brings along. */
const ownDisplay = (x: unknown): (() => MimeBundle | Promise<MimeBundle>) | null => {
  if (typeof x !== "object" || x === null) return null;
  const method: unknown = (x as Record<symbol, unknown>)[jupyterDisplay];
  return typeof method === "function" ? (method.bind(x) as () => MimeBundle) : null;
};

/** What a value shows: what it says itself, or a table of its leaves. */
export async function mimeOf(x: unknown): Promise<MimeBundle> {
  try {
    const own = ownDisplay(x);
    if (own) return await own();
    if (isHistory(x)) return historyBundle(x);
    return typeof x === "object" && x !== null ? await treeBundle(x) : { "text/plain": String(x) };
  } catch {
    return { "text/plain": textOf(x) };
  }
}

/** The renderer of values of the library: see `core/display.ts`. */
export function render(x: object): MimeBundle | Promise<MimeBundle> {
  if (x instanceof NDArray) return arrayBundle(x);
  const text = textOf(x);
  if (x instanceof TracedProgram) return { "text/plain": text, "text/html": preformatted(text) };
  return { "text/plain": text, "text/html": fieldTable(x) };
}

/** Fields of a device or a report on it. */
function fieldTable(x: object): string {
  const fields = tree.leavesWithPath(x);
  return table(
    ["", ""],
    fields.map(([path, value]) => [
      escape(tree.keystr(path, { simple: true, separator: "." })),
      escape(leafText(value)),
    ]),
  );
}

const leafText = (x: unknown): string => (typeof x === "number" ? shortNumber(x) : textOf(x));

function textOf(x: unknown): string {
  try {
    return String(x);
  } catch {
    return Object.prototype.toString.call(x);
  }
}

async function treeBundle(x: object): Promise<MimeBundle> {
  const all = tree.leavesWithPath(x, { isLeaf: (y: unknown) => ownDisplay(y) !== null });
  const shown = all.slice(0, MOST_LEAVES);
  const rows = await Promise.all(
    shown.map(async ([path, leaf]) => [tree.keystr(path), ...(await describeLeaf(leaf))] as const),
  );
  const arrays = all.flatMap(([, leaf]) => (leaf instanceof NDArray ? [leaf] : []));
  const total = `${count(all.length, "leaf", "leaves")}, ${count(
    arrays.reduce((n, a) => n + a.size, 0),
    "element",
    "elements",
  )}`;
  const rest = all.length > shown.length ? [`… and ${all.length - shown.length} more`] : [];
  const lines = rows.map(([path, type, preview]) => [path, type, preview].filter((part) => part !== "").join("  "));
  return {
    "text/plain": [total, ...lines, ...rest].join("\n"),
    "text/html": `<div><code>${escape([total, ...rest].join("; "))}</code></div>${table(
      ["", "", "values"],
      rows.map(([path, type, preview]) => [path, type, preview].map((part) => `<code>${escape(part)}</code>`)),
    )}`,
  };
}

const count = (n: number, one: string, many: string): string => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** What a leaf is, and the beginning of its values. */
async function describeLeaf(leaf: unknown): Promise<readonly [type: string, preview: string]> {
  if (!(leaf instanceof NDArray)) return [typeof leaf, short(leafText(leaf))];
  const host = await readForDisplay(leaf);
  return [describeArray(leaf), host ? short(valuesText(host)) : ""];
}

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ");
  return line.length > PREVIEW ? `${line.slice(0, PREVIEW - 1)}…` : line;
};

/** Holds a value until a notebook asks what it looks like. */
class Shown {
  readonly #value: unknown;
  constructor(value: unknown) {
    this.#value = value;
  }
  [Symbol.for("Jupyter.display")](): Promise<MimeBundle> {
    return mimeOf(this.#value);
  }
  toString(): string {
    return textOf(this.#value);
  }
}

/**
 * A value as something that a notebook shows: the leaves of a tree with their shapes and first values, the curves of a
 * training history (an object of lists of numbers), the fields of a device. Leave it as the last expression of a cell; under
 * tslab, and in scripts, use `display`.
 *
 * @example
 * const shown = notebook.show({ w: np.ones([2, 3]), b: np.zeros(3) });
 * const forms = await shown[Symbol.for("Jupyter.display")]();
 * forms["text/plain"].split("\n")[0] // "2 leaves, 9 elements"
 */
export const show = (value: unknown): Displayable => new Shown(value) as unknown as Displayable;
