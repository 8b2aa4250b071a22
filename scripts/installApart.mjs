// Packages of npm that only tests use and that must not share our node_modules: each is installed into a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exit, platform } from "node:process";
import { fileURLToPath } from "node:url";

/** Where a package is, or would be. */
export const folderOf = (name) => fileURLToPath(new URL(`../node_modules/.cache/${name}`, import.meta.url));

/** Installs a package unless `find` finds it; ends the process with what to do if it cannot be had. */
export function installApart(name, specifier, find, otherwise) {
  if (find() !== undefined) return;
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const options = { cwd: folder, stdio: "inherit", shell: platform === "win32" };
  spawnSync("npm", ["install", "--no-audit", "--no-fund", "--silent", specifier], options);
  if (find() !== undefined) return;
  console.error(otherwise);
  exit(1);
}
