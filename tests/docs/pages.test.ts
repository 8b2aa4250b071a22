import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { promotionPage } from "../../scripts/promotionPage.ts";

test("docs/promotion.md is the page this version makes", () => {
  expect(readFileSync("docs/promotion.md", "utf8")).toBe(promotionPage());
});
