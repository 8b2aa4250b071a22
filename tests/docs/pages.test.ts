import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compilerPage } from "../../scripts/compilerPage.ts";
import { coveragePage } from "../../scripts/coveragePage.ts";
import { promotionPage } from "../../scripts/promotionPage.ts";

test.each([
  ["docs/promotion.md", promotionPage],
  ["docs/compiler.md", compilerPage],
  ["docs/coverage.md", coveragePage],
])("%s is the page this version makes", (file, page) => {
  expect(readFileSync(file, "utf8")).toBe(page());
});
