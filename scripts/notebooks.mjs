// Runs the notebooks of notebooks/ against the build, each with every kernel it is for, and compares what they show with
// what is committed (see compareNotebooks.mjs for what counts as the same).
//
//   npm run notebooks                    all of them
//   npm run notebooks -- 1 hmc           those whose names begin with 1, or contain hmc
//   npm run notebooks -- --update        writes what they show now into the files
//   npm run notebooks -- --kernel deno   with one kernel
import { spawnSync } from "node:child_process";
import { argv, execPath, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { differences } from "./compareNotebooks.mjs";
import {
  checkNotebook,
  kernelsOf,
  notebookNames,
  readNotebook,
  settledNotebook,
  writeNotebook,
} from "./runNotebook.mjs";

for (const script of ["installSystemPackages.mjs", "installTslab.mjs"]) {
  const { status } = spawnSync(execPath, [fileURLToPath(new URL(script, import.meta.url))], { stdio: "inherit" });
  if (status !== 0) exit(status ?? 1);
}

const args = argv.slice(2);
const isUpdate = args.includes("--update");
const onlyKernel = args.includes("--kernel") ? args[args.indexOf("--kernel") + 1] : undefined;
const wanted = args.filter((arg, i) => !arg.startsWith("--") && args[i - 1] !== "--kernel");
const isWanted = (name) =>
  wanted.length === 0 || wanted.some((w) => (/^\d+$/.test(w) ? name.startsWith(`${w}-`) : name.includes(w)));

const indented = (text) => text.replace(/^/gm, "    ");

let failures = 0;
for (const name of notebookNames().filter(isWanted)) {
  const committed = readNotebook(name);
  const [home, ...others] = kernelsOf(committed);
  for (const kernel of [home, ...others].filter((k) => onlyKernel === undefined || k === onlyKernel)) {
    const start = performance.now();
    try {
      const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
      if (isUpdate && kernel === home) {
        const executed = await settledNotebook(committed, kernel);
        writeNotebook(name, executed, committed);
        console.log(
          `${name}, ${kernel}: written, ${differences(committed, executed).length} cells changed (${seconds()})`,
        );
        continue;
      }
      const { found } = await checkNotebook(isUpdate ? readNotebook(name) : committed, kernel);
      console.log(
        `${name}, ${kernel}: ${found.length === 0 ? "the same" : `${found.length} cells differ`} (${seconds()})`,
      );
      for (const { cell, source, old, now } of found)
        console.log(`  cell ${cell}\n${indented(source)}\n  was\n${indented(old)}\n  is\n${indented(now)}`);
      failures += found.length;
    } catch (error) {
      console.error(`${name}, ${kernel}: ${error instanceof Error ? error.message : String(error)}`);
      failures++;
    }
  }
}
if (failures > 0) exit(1);
