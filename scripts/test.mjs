// `npm test`: everything from a fresh clone. Arguments go to vitest: `npm test -- tests/lax`.
import { spawn } from "node:child_process";
import { argv, execPath, exit } from "node:process";

const args = argv.slice(2);
const vitest = (...options) => ["node_modules/vitest/vitest.mjs", "run", ...options];
const build = ["scripts/build.mjs", "--silent"];

// tests/package and tests/golden look at the build. The suites on the reference device do not, and a build is no work for
// two cores: they go on meanwhile.
const steps = [
  [["scripts/installSystemPackages.mjs"], ["scripts/installNode24.mjs"], ["scripts/installTslab.mjs"]],
  ...(args.length > 0
    ? [[build], [vitest(...args)]]
    : [
        [build, vitest("--project", "reference")],
        [vitest("--project", "devices", "--project", "chromium", "--project", "isolated")],
      ]),
];

const run = (step) =>
  new Promise((resolve) => spawn(execPath, step, { stdio: "inherit" }).on("exit", (code) => resolve(code ?? 1)));

for (const together of steps) {
  const failed = (await Promise.all(together.map(run))).find((status) => status !== 0);
  if (failed !== undefined) exit(failed);
}
