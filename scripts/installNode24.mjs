// The tests run in Node 24 too, whose engine has more than that of Node 20. It comes from npm, into a folder where it does
// not become the Node of `npm run`.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, env, execPath, exit, platform, version } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { firstExecutable } from "./firstExecutable.mjs";

const wanted = "24.21.0";
const folder = fileURLToPath(new URL("../node_modules/.cache/node24", import.meta.url));

/** The executable of Node 24: this one, $COTANGENT_NODE24, or the one that was installed; undefined if there is none. */
export function findNode24() {
  const installed = join(folder, "node_modules/node/bin/node");
  return firstExecutable([version.startsWith("v24.") ? execPath : undefined, env.COTANGENT_NODE24, installed]);
}

function installNode24() {
  if (findNode24() !== undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const options = { cwd: folder, stdio: "inherit", shell: platform === "win32" };
  spawnSync("npm", ["install", "--no-audit", "--no-fund", "--silent", `node@${wanted}`], options);
  if (findNode24() !== undefined) return;
  console.error("The tests run in Node 24 too, and npm could not install it: COTANGENT_NODE24 may be its path.");
  exit(1);
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) installNode24();
