// `npm test`: everything from a fresh clone. Arguments go to vitest: `npm test -- tests/lax`.
import { spawnSync } from "node:child_process";
import { argv, execPath, exit } from "node:process";

const steps = [
  ["scripts/installSystemPackages.mjs"],
  // tests/package and tests/golden look at the build.
  ["node_modules/tsup/dist/cli-default.js", "--silent"],
  ["node_modules/vitest/vitest.mjs", "run", ...argv.slice(2)],
];

for (const step of steps) {
  const { status } = spawnSync(execPath, step, { stdio: "inherit" });
  if (status !== 0) exit(status ?? 1);
}
