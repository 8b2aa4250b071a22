/** The programs in pages written by hand: the blocks of a page are one program, and comments promise its values. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root, typeErrors } from "../support/typeErrors.ts";
import { run } from "./runExample.ts";

const pages = ["README.md", "docs/from-jax.md"];
/** Without programs. */
const plainPages = ["CONTRIBUTING.md", "docs/architecture.md", "docs/performance.md"];
const programOf = (page: string): string =>
  [...readFileSync(page, "utf8").matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code]) => code!)
    .join("\n")
    .replace(/^import .*$/gm, "");

test.each(pages)("the programs of %s run and say what they promise", async (page) => {
  const program = programOf(page);
  const promises = program.match(/\/\/ .*$/gm) ?? [];
  const checked = await run(program);
  expect(checked).toBeGreaterThan(10);
  // A comment that could not be read as a value would check nothing.
  expect(checked).toBeGreaterThan(0.7 * promises.length);
});

test.each([...pages, ...plainPages])("every link of %s leads somewhere", (page) => {
  for (const [, path] of readFileSync(page, "utf8").matchAll(/\]\(((?!http)[^)#]+)\)/g))
    expect(() => readFileSync(join(dirname(page), path!)), path).not.toThrow();
});

test.each(pages)("the programs of %s have the types that strict TypeScript expects", { timeout: 120_000 }, (page) => {
  const head = `
    import { grad, jacrev, jit, jvp, lax, numpy as np, optim, pipe, random, vmap } from "cotangent";
    import type { NDArray } from "cotangent";
  `;
  // Users check less than we do.
  const asUsers = { noUncheckedIndexedAccess: false };
  expect(typeErrors([], { [join(root, "prose.ts")]: head + programOf(page) }, asUsers)).toEqual([]);
});
