/**
 * Tables as text: records of fields between delimiters, in the grammar of RFC 4180. Fields in quotes may hold
 * delimiters, line breaks, and quotes, which are doubled.
 *
 * The parser is strict. A record with too few or too many fields, or a quote in the wrong place, is an error with its
 * line: guessing would put numbers into wrong columns.
 */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError, type DataError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import { type Bytes, malformed, orThrow, textOf } from "./bytes.ts";

export interface CsvOptions {
  /** Between fields. Default ",". */
  readonly delimiter?: string;
  /** Around fields that hold delimiters, line breaks or quotes. Default '"'. */
  readonly quote?: string;
  /** Before a quote that belongs to the field. Default: the quote itself. */
  readonly escape?: string;
  /** Whether the first record holds the names of the columns; or their names, if it does not. Default true. Without names columns are "0", "1", … */
  readonly header?: boolean | readonly string[];
  /** Texts, outside of quotes, that stand for a missing value: NaN among numbers. Default "", "NA", "N/A", "NaN", "nan", "null". */
  readonly missing?: readonly string[];
  /** What columns hold. Those that are not named hold numbers if all of their values are, else strings. */
  readonly types?: Readonly<Record<string, "number" | "string">>;
  /** Lines that begin with this are left out. Default: there are none. */
  readonly comment?: string;
}

/** A table, by columns. */
export interface CsvTable {
  /** The names of the columns, from left to right. */
  readonly names: readonly string[];
  readonly rows: number;
  /** Numbers, NaN where one is missing; or strings, null where one is missing. */
  readonly columns: Readonly<Record<string, Float64Array | readonly (string | null)[]>>;
}

/** One field; whether it was in quotes. */
interface Field {
  readonly text: string;
  readonly quoted: boolean;
}
interface Syntax {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly comment: string | undefined;
}
interface Row {
  readonly fields: readonly Field[];
  readonly line: number;
}

const usualMissing: readonly string[] = ["", "NA", "N/A", "NaN", "nan", "null"];

// ---------------------------------------------------------------- reading

/**
 * Reads a table, or says what is wrong with it, and in which line.
 *
 * @param text the table, or its bytes in UTF-8.
 * @example
 * data.parseCsv("x,y\n1,a\n2,b\n").right.columns.y // ["a", "b"]
 */
export function parseCsv(text: string | Bytes, options: CsvOptions = {}): Either<DataError, CsvTable> {
  const syntax = readSyntax(options);
  const given = textOf("parseCsv", text);
  if (isLeft(given)) return given;
  const records = readRecords(given.right, syntax);
  if (isLeft(records)) return records;
  const { header = true } = options;
  const [first, ...others] = records.right;
  if (header === true && first === undefined)
    return left(bad("NoHeader", 1, "the table is empty", "its first record holds the names of the columns"));
  const rows = header === true ? others : records.right;
  const width =
    header === true ? first!.fields.length : Array.isArray(header) ? header.length : (first?.fields.length ?? 0);
  const names =
    header === true
      ? first!.fields.map((f) => f.text)
      : Array.isArray(header)
        ? (header as readonly string[])
        : Array.from({ length: width }, (_, i) => String(i));
  const repeated = names.find((n, i) => names.indexOf(n) !== i);
  if (repeated !== undefined)
    return left(
      bad(
        "RepeatedName",
        first?.line ?? 1,
        `two columns are named ${JSON.stringify(repeated)}`,
        "columns are told apart by their names",
      ),
    );
  const ragged = rows.find((r) => r.fields.length !== width);
  if (ragged)
    return left(
      bad(
        "RaggedTable",
        ragged.line,
        `${ragged.fields.length} fields where ${width} were expected`,
        "every record has one field for each column",
      ),
    );
  return readColumns(names, rows, options);
}

/**
 * The columns of a table: arrays of the numbers, and lists of the strings. A column of whole numbers with none missing
 * is int32, others are float32.
 *
 * @param text the table, or its bytes in UTF-8.
 * @throws DataError if a record does not fit, with its line; `parseCsv` gives it instead.
 * @example
 * data.readCsv("x,y,name\n1,0.5,a\n2,,b\n") // { name: ["a", "b"], x: [1, 2], y: [0.5, NaN] }
 */
export function readCsv(
  text: string | Bytes,
  options: CsvOptions = {},
): Record<string, NDArray | readonly (string | null)[]> {
  const { names, columns } = orThrow(parseCsv(text, options));
  return Object.fromEntries(
    names.map((name) => {
      const column = columns[name]!;
      if (!(column instanceof Float64Array)) return [name, column];
      return [name, np.array(column.every(isInt32) ? Int32Array.from(column) : Float32Array.from(column))];
    }),
  );
}

const isInt32 = (x: number): boolean => (x | 0) === x;

function readSyntax({ delimiter = ",", quote = '"', escape = quote, comment }: CsvOptions): Syntax {
  const single = [delimiter, quote, escape].every((c) => c.length === 1 && c !== "\n" && c !== "\r");
  if (single && delimiter !== quote && delimiter !== escape && comment !== "")
    return { delimiter, quote, escape, comment };
  throw new ArgumentError("CsvSyntax", {
    what: `parseCsv: delimiter ${JSON.stringify(delimiter)}, quote ${JSON.stringify(quote)}, escape ${JSON.stringify(escape)}`,
    why: "each is one character, no line break, and the delimiter is none of the others",
    fix: 'leave them out for a usual table, or write { delimiter: ";" }',
  });
}

const bad = (code: string, line: number, what: string, why: string): DataError =>
  malformed(
    "parseCsv",
    code,
    `line ${line}: ${what}`,
    why,
    "correct the line, or say how the table is written: delimiter, quote, escape, header",
  );

// ---------------------------------------------------------------- records

/** The records of a text. Empty lines are none, unless a record of one empty field is what the quotes say. */
function readRecords(text: string, syntax: Syntax): Either<DataError, readonly Row[]> {
  const { delimiter, quote, comment } = syntax;
  const rows: Row[] = [];
  let [at, line] = [0, 1];
  while (at < text.length) {
    const start = line;
    const lineBreak = breakAt(text, at);
    if (lineBreak > 0 || (comment !== undefined && text.startsWith(comment, at))) {
      if (lineBreak === 0) at = endOfLine(text, at);
      at += breakAt(text, at);
      line++;
      continue;
    }
    const fields: Field[] = [];
    for (;;) {
      if (text[at] === quote) {
        const read = readQuoted(text, at + 1, syntax);
        if (read === null)
          return left(
            bad("OpenQuote", start, "a quote is not closed", "a field that begins with a quote ends with one"),
          );
        at = read.end;
        line += read.lines;
        fields.push({ text: read.text, quoted: true });
        if (at < text.length && text[at] !== delimiter && breakAt(text, at) === 0)
          return left(
            bad(
              "TextBehindQuote",
              line,
              "there is text behind a closing quote",
              "behind a field in quotes comes a delimiter or the end of the line; quotes inside are doubled",
            ),
          );
      } else {
        const end = endOfField(text, at, delimiter);
        const field = text.slice(at, end);
        if (field.includes(quote))
          return left(
            bad(
              "QuoteInField",
              line,
              "there is a quote inside a field",
              "a field that holds quotes is in quotes itself, and doubles them",
            ),
          );
        fields.push({ text: field, quoted: false });
        at = end;
      }
      if (text[at] !== delimiter) break;
      at++;
    }
    at += breakAt(text, at);
    line++;
    rows.push({ fields, line: start });
  }
  return right(rows);
}

/** The length of the line break at a place; 0 if there is none. */
const breakAt = (text: string, at: number): number =>
  text[at] === "\n" ? 1 : text[at] === "\r" ? (text[at + 1] === "\n" ? 2 : 1) : 0;

function endOfLine(text: string, at: number): number {
  while (at < text.length && breakAt(text, at) === 0) at++;
  return at;
}

function endOfField(text: string, at: number, delimiter: string): number {
  while (at < text.length && text[at] !== delimiter && breakAt(text, at) === 0) at++;
  return at;
}

/** A field from behind its opening quote to behind its closing one; null if there is none. */
function readQuoted(
  text: string,
  start: number,
  { quote, escape }: Syntax,
): { text: string; end: number; lines: number } | null {
  const parts: string[] = [];
  let [from, lines] = [start, 0];
  for (let at = start; at < text.length; at++) {
    const c = text[at];
    const next = text[at + 1];
    if (c === escape && (next === quote || (escape !== quote && next === escape))) {
      parts.push(text.slice(from, at), next);
      from = at + 2;
      at++;
    } else if (c === quote) return { text: parts.join("") + text.slice(from, at), end: at + 1, lines };
    else if (c === "\n" || (c === "\r" && next !== "\n")) lines++;
  }
  return null;
}

// ---------------------------------------------------------------- columns

/** Decimal numbers and infinities as people and programs write them; no hexadecimal ones, and no text like "1 2". */
const number = /^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?)\s*$/i;
const infinity = /inf/i;
const numberOf = (text: string): number =>
  infinity.test(text) ? (text.includes("-") ? -Infinity : Infinity) : Number(text);

function readColumns(names: readonly string[], rows: readonly Row[], options: CsvOptions): Either<DataError, CsvTable> {
  const { missing = usualMissing, types = {} } = options;
  const unknown = Object.keys(types).find((n) => !names.includes(n));
  if (unknown !== undefined)
    return left(
      bad(
        "UnknownColumn",
        1,
        `types names the column ${JSON.stringify(unknown)}; there are ${names
          .slice(0, 20)
          .map((n) => JSON.stringify(n))
          .join(", ")}`,
        "the names are those of the header",
      ),
    );
  const absent = new Set(missing);
  const isMissing = (f: Field): boolean => !f.quoted && absent.has(f.text);
  const columns: [string, CsvTable["columns"][string]][] = [];
  for (const [i, name] of names.entries()) {
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    const odd =
      type === "string"
        ? undefined
        : rows.find(({ fields }) => !isMissing(fields[i]!) && !number.test(fields[i]!.text));
    if (type === "number" && odd)
      return left(
        bad(
          "NotANumber",
          odd.line,
          `${JSON.stringify(odd.fields[i]!.text.slice(0, 80))} in column ${JSON.stringify(name)}`,
          "the column was said to hold numbers",
        ),
      );
    // A column in which everything is missing says nothing about numbers.
    const numeric =
      type === "number" || (type === undefined && !odd && rows.some(({ fields }) => !isMissing(fields[i]!)));
    const fields = rows.map((r) => r.fields[i]!);
    columns.push([
      name,
      numeric
        ? Float64Array.from(fields, (f) => (isMissing(f) ? NaN : numberOf(f.text)))
        : fields.map((f) => (isMissing(f) ? null : f.text)),
    ]);
  }
  return right({ names, rows: rows.length, columns: Object.fromEntries(columns) });
}
