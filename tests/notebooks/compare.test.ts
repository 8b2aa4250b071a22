/** What counts as the same output: words exactly, numbers but for rounding, pictures and times by presence. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Notebook,
  type Output,
  differences,
  differencesAcrossKernels,
  isSameText,
  relativeTolerance,
} from "../../scripts/compareNotebooks.mjs";

const book = (outputs: readonly Output[], tags: readonly string[] = []): Notebook => ({
  cells: [
    { cell_type: "markdown", source: "# A title" },
    { cell_type: "code", source: ["f(x)"], metadata: { tags }, outputs },
  ],
  metadata: {},
});
const printed = (text: string): Output => ({ output_type: "stream", name: "stdout", text });
const shown = (data: Readonly<Record<string, string>>): Output => ({ output_type: "display_data", data });

describe("texts", () => {
  test.each([
    ["loss 0.25", "loss 0.250001", true],
    ["loss 0.25", "loss 0.2501", false],
    ["x = 1e-9", "x = 3e-9", true],
    ["12 steps", "13 steps", false],
    ["10000", "10001", false],
    ["a 1.5", "b 1.5", false],
    ["1 2", "1 2 3", false],
    ["-0.5", "0.5", false],
    ["took 0.3 s", "took 17 s", true],
    ["bar 9/9 · 0.4 s", "bar 9/9 · 2 min 5 s", true],
    ["5 samples", "6 samples", false],
    ["[1.  2.5]", "[1. 2.5]", true],
    ["\u001b[33m5\u001b[39m", "5", true],
    ["<svg><path d='1'/></svg>", "<svg><path d='2'/></svg>", true],
    ["<svg></svg>", "", false],
  ])("%j and %j: %j", (a, b, same) => {
    expect(isSameText(a, b)).toBe(same);
    expect(isSameText(b, a)).toBe(same);
  });

  test("a number that moves by more than the tolerance is found, wherever it stands", () => {
    const numbers = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 6 });
    const text = (xs: readonly number[]): string => xs.map((x) => x.toExponential(12)).join(" and ");
    fc.assert(
      fc.property(numbers, fc.nat(), fc.double({ min: 2, max: 1e3, noNaN: true }), (xs, at, factor) => {
        const moved = (share: number): string =>
          text(xs.map((x, i) => (i === at % xs.length ? x * (1 + share * relativeTolerance) : x)));
        expect(isSameText(text(xs), moved(factor))).toBe(false);
        expect(isSameText(text(xs), moved(1 / factor))).toBe(true);
      }),
    );
  });
});

describe("notebooks", () => {
  test("a changed number is a difference, and says where", () => {
    expect(differences(book([printed("loss 0.25\n")]), book([printed("loss 0.25\n")]))).toEqual([]);
    expect(differences(book([printed("loss 0.25\n")]), book([printed("loss 0.26\n")]))).toEqual([
      { cell: 1, source: "f(x)", old: "[stream stdout]\nloss 0.25\n", now: "[stream stdout]\nloss 0.26\n" },
    ]);
  });
  test("a missing output, an added one and another kind are differences", () => {
    const plain = shown({ "text/plain": "1" });
    expect(differences(book([plain]), book([]))).toHaveLength(1);
    expect(differences(book([plain]), book([plain, plain]))).toHaveLength(1);
    expect(differences(book([plain]), book([shown({ "text/plain": "1", "text/html": "1" })]))).toHaveLength(1);
    expect(differences(book([plain]), book([printed("1")]))).toHaveLength(1);
  });
  test("a picture has to be there, and may look otherwise", () => {
    const picture = (png: string): Output => shown({ "text/plain": "Figure", "image/png": png });
    expect(differences(book([picture("AAAA")]), book([picture("BBBB")]))).toEqual([]);
    expect(differences(book([picture("AAAA")]), book([shown({ "text/plain": "Figure" })]))).toHaveLength(1);
  });
  test("pieces of a stream are one", () => {
    expect(differences(book([printed("a\n"), printed("b\n")]), book([printed("a\nb\n")]))).toEqual([]);
  });
  test("a cell that varies has to show something of the same kind", () => {
    expect(differences(book([printed("2 threads")], ["varies"]), book([printed("8 threads")], ["varies"]))).toEqual([]);
    expect(differences(book([printed("2 threads")], ["varies"]), book([], ["varies"]))).toHaveLength(1);
  });
  test("another kernel prints and displays the same, and its last value as it likes", () => {
    const home = book([printed("a 1.5\n"), shown({ "text/plain": "5", "text/html": "<b>5</b>" })]);
    const other = (text: string, html: string): Notebook => book([printed(text), shown({ "text/html": html })]);
    expect(differencesAcrossKernels(home, other("a 1.5\nlast value\n", "<b>5</b>"))).toEqual([]);
    expect(differencesAcrossKernels(home, other("a 1.6\n", "<b>5</b>"))).toHaveLength(1);
    expect(differencesAcrossKernels(home, other("a 1.5\n", "<b>6</b>"))).toHaveLength(1);
    expect(differencesAcrossKernels(home, book([printed("a 1.5\n")]))).toHaveLength(1);
  });
});
