// Notebooks run in Node too, by the kernel tslab. It comes from npm, into a folder of its own: it brings a TypeScript along that
// would take the name `tsc` in node_modules/.bin.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, exit, platform } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { firstExecutable } from "./firstExecutable.mjs";

const wanted = "1.0.22";
const folder = fileURLToPath(new URL("../node_modules/.cache/tslab", import.meta.url));

/** tslab's executable; undefined if it is not installed. */
export const findTslab = () => firstExecutable([join(folder, "node_modules/.bin/tslab")]);

function installTslab() {
  if (findTslab() !== undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const options = { cwd: folder, stdio: "inherit", shell: platform === "win32" };
  spawnSync("npm", ["install", "--no-audit", "--no-fund", "--silent", `tslab@${wanted}`], options);
  if (findTslab() !== undefined) return;
  console.error("The notebooks run in Node too, by the kernel tslab, which npm could not install.");
  exit(1);
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) installTslab();
