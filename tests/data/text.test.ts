/** Tables and JSON Lines. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatJsonLines, parseCsv, parseJsonLines, readCsv, readJsonLines } from "../../src/data/index.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { DataError } from "../../src/core/problem.ts";
import { holds } from "../properties.ts";
import { list, problemOf } from "../support/arrays.ts";
import { codeOf, valueOf } from "./files.ts";

/** A table as strict writers write it. */
const write = (rows: readonly (readonly string[])[], delimiter: string, end: string): string =>
  rows.map((r) => r.map((f) => `"${f.replaceAll('"', '""')}"`).join(delimiter) + end).join("");

describe("parseCsv", () => {
  const fields = fc.string({ maxLength: 6, unit: fc.constantFrom("a", '"', ",", ";", "\n", "\r", " ", "é", "1") });

  test("fields in quotes may hold anything", () => {
    const tables = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(fields, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
      );
    holds(
      300,
      [tables, fc.constantFrom(",", ";", "\t"), fc.constantFrom("\n", "\r\n", "\r"), fc.boolean()],
      (rows, delimiter, end, cut) => {
        const text = write(rows, delimiter, end);
        const width = rows[0]!.length;
        const types = Object.fromEntries(Array.from({ length: width }, (_, i) => [String(i), "string" as const]));
        const table = valueOf(parseCsv(cut ? text.slice(0, -end.length) : text, { delimiter, header: false, types }));
        expect(table.rows).toBe(rows.length);
        for (let i = 0; i < width; i++) expect(table.columns[String(i)]).toEqual(rows.map((r) => r[i]));
      },
    );
  });

  test("numbers come back as they were", () => {
    holds(200, [fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 9 })], (values) => {
      const { x } = valueOf(parseCsv(`x\n${values.join("\n")}`)).columns;
      expect(Array.from(x as Float64Array)).toEqual(values.map((v) => (Object.is(v, -0) ? 0 : v)));
    });
  });

  test("types follow from the values, missing ones apart", () => {
    const { columns, names, rows } = valueOf(parseCsv('a,b,c,d,e\n1,x,,"",0x1\n-2.5e1,,3,"NA",2\n'));
    expect([names, rows]).toEqual([["a", "b", "c", "d", "e"], 2]);
    expect(columns).toEqual({
      a: Float64Array.of(1, -25),
      b: ["x", null],
      c: Float64Array.of(NaN, 3),
      d: ["", "NA"],
      e: ["0x1", "2"],
    });
    expect(valueOf(parseCsv("a\n?\n1", { missing: ["?"] })).columns).toEqual({ a: Float64Array.of(NaN, 1) });
    expect(valueOf(parseCsv("a,b\n,1\n,2")).columns["a"]).toEqual([null, null]);
    expect(valueOf(parseCsv("a\n1\n2", { types: { a: "string" } })).columns["a"]).toEqual(["1", "2"]);
  });

  test("options: names, delimiter, escape, comments, byte order mark, empty lines", () => {
    expect(valueOf(parseCsv("1;2\n\n3;4\n", { delimiter: ";", header: ["p", "q"] })).columns).toEqual({
      p: Float64Array.of(1, 3),
      q: Float64Array.of(2, 4),
    });
    expect(valueOf(parseCsv('a\n"x\\"y\\\\"\n', { escape: "\\" })).columns).toEqual({ a: ['x"y\\'] });
    expect(valueOf(parseCsv("# c\na\n#1\n2", { comment: "#" })).columns).toEqual({ a: Float64Array.of(2) });
    expect(valueOf(parseCsv(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 10, 0x31]))).columns).toEqual({
      a: Float64Array.of(1),
    });
    expect(valueOf(parseCsv("\ufeffa\n1")).names).toEqual(["a"]);
    expect(valueOf(parseCsv("a,b\n", {})).rows).toBe(0);
    expect(problemOf(() => parseCsv("a", { delimiter: "," + "," })).code).toBe("CsvSyntax");
    expect(problemOf(() => parseCsv("a", { delimiter: '"' })).code).toBe("CsvSyntax");
  });

  test.each([
    ["NoHeader", "", 1],
    ["OpenQuote", 'a\n1\n"x\n', 3],
    ["TextBehindQuote", 'a\n"x"y\n', 2],
    ["QuoteInField", 'a\nx"y"\n', 2],
    ["RaggedTable", 'a,b\n1,2\n"3\n3",4\n5\n', 5],
    ["RaggedTable", "a\n1,2\n", 2],
    ["RepeatedName", "a,a\n", 1],
  ])("%s in %j", (code, text, line) => {
    const parsed = parseCsv(text);
    expect(codeOf(parsed)).toBe(code);
    expect("left" in parsed && parsed.left.problem.what).toContain(`line ${line}:`);
  });

  test("more that can be wrong", () => {
    expect(codeOf(parseCsv("a\nx", { types: { a: "number" } }))).toBe("NotANumber");
    expect(codeOf(parseCsv("a\nx", { types: { b: "number" } }))).toBe("UnknownColumn");
    expect(codeOf(parseCsv(new Uint8Array([0xff])))).toBe("NotUtf8");
    expect(codeOf(parseCsv(5 as never))).toBe("NotBytes");
    expect(problemOf(() => readCsv("a\n1,2")).kind).toBe("DataError");
  });

  test("any text ends with a table or a DataError, in linear time", () => {
    holds(500, [fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "1", " "), maxLength: 40 })], (text) => {
      const parsed = parseCsv(text);
      if ("left" in parsed) expect(parsed.left).toBeInstanceOf(DataError);
    });
    // Whatever is more than linear would outlast the suite's time limit.
    for (const text of [
      '"'.repeat(400_001),
      ",".repeat(400_000),
      "\r".repeat(400_000),
      `a\n${" ".repeat(400_000)}x`,
      `a\n${"1".repeat(400_000)}`,
    ])
      parseCsv(text);
  });

  test("readCsv gives arrays of the numbers", () => {
    const { id, x, name } = readCsv("id,x,name\n1,0.5,a\n2,,b\n") as { id: NDArray; x: NDArray; name: string[] };
    expect([id.dtype, list(id), x.dtype, list(x), name]).toEqual(["int32", [1, 2], "float32", [0.5, NaN], ["a", "b"]]);
    expect((readCsv("a\n3000000000")["a"] as NDArray).dtype).toBe("float32");
  });
});

describe("JSON Lines", () => {
  test("read what was written", () => {
    holds(200, [fc.array(fc.jsonValue())], (values) => {
      expect(readJsonLines(formatJsonLines(values))).toEqual(JSON.parse(JSON.stringify(values)));
    });
    expect(readJsonLines(new TextEncoder().encode('\ufeff{"a":1}\r\n\n 2 '))).toEqual([{ a: 1 }, 2]);
  });

  test("say which line is wrong", () => {
    const parsed = parseJsonLines('1\n\n{"a":\n');
    expect(codeOf(parsed)).toBe("NotJson");
    expect("left" in parsed && parsed.left.problem.what).toContain("line 3:");
    expect(problemOf(() => readJsonLines("x")).kind).toBe("DataError");
    expect(problemOf(() => formatJsonLines([() => 1])).code).toBe("NotJson");
    holds(200, [fc.string()], (text) => {
      const any = parseJsonLines(text);
      if ("left" in any) expect(any.left).toBeInstanceOf(DataError);
    });
  });
});
