/** `npm run docs`: writes the pages that are made from running code. */
import { writeFileSync } from "node:fs";
import { mistakesPage } from "../tests/mistakes/page.ts";
import { compilerPage } from "./compilerPage.ts";
import { coveragePage } from "./coveragePage.ts";
import { promotionPage } from "./promotionPage.ts";

writeFileSync("docs/mistakes.md", mistakesPage());
writeFileSync("docs/promotion.md", promotionPage());
writeFileSync("docs/compiler.md", compilerPage());
writeFileSync("docs/coverage.md", coveragePage());
