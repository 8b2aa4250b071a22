/**
 * The notebooks run against the build and show what is committed, with every kernel they are for. Those that say of themselves
 * that they are slow are left to `npm run notebooks`.
 */
import { describe, expect, test } from "vitest";
import { checkNotebook, isSlow, kernelsOf, notebookNames, readNotebook } from "../../scripts/runNotebook.mjs";

const books = notebookNames().map((name) => ({ name, notebook: readNotebook(name) }));
const runs = books
  .filter(({ notebook }) => !isSlow(notebook))
  .flatMap(({ name, notebook }) => kernelsOf(notebook).map((kernel) => ({ name, notebook, kernel })));

test("there are notebooks, in Deno and in Node", () => {
  expect(runs.filter((r) => r.kernel === "deno").length).toBeGreaterThanOrEqual(5);
  expect(runs.filter((r) => r.kernel === "tslab").length).toBeGreaterThanOrEqual(2);
});

test.each(books)("$name has outputs, and a title", ({ notebook }) => {
  const code = notebook.cells.filter((cell) => cell.cell_type === "code");
  expect(code.filter((cell) => (cell.outputs ?? []).length > 0).length).toBeGreaterThan(code.length / 2);
  expect(code.flatMap((cell) => cell.outputs ?? []).filter((output) => output.output_type === "error")).toEqual([]);
  expect([notebook.cells[0]!.source].flat().join("")).toMatch(/^# /);
});

describe("run", { concurrent: true }, () => {
  test.each(runs)("$name in $kernel", { timeout: 300_000 }, async ({ notebook, kernel }) => {
    const { found } = await checkNotebook(notebook, kernel);
    expect(found).toEqual([]);
  });
});
