// The tests run in Node 24 too, whose engine has more than that of Node 20. It comes from npm, into a folder where it does
// not become the Node of `npm run`.
import { join } from "node:path";
import { argv, env, execPath, version } from "node:process";
import { pathToFileURL } from "node:url";
import { firstExecutable } from "./firstExecutable.mjs";
import { folderOf, installApart } from "./installApart.mjs";

const wanted = "24.21.0";

/** The executable of Node 24: this one, $COTANGENT_NODE24, or the one that was installed; undefined if there is none. */
export function findNode24() {
  const installed = join(folderOf("node24"), "node_modules/node/bin/node");
  return firstExecutable([version.startsWith("v24.") ? execPath : undefined, env.COTANGENT_NODE24, installed]);
}

const otherwise = "The tests run in Node 24 too, and npm could not install it: COTANGENT_NODE24 may be its path.";
if (import.meta.url === pathToFileURL(argv[1] ?? "").href)
  installApart("node24", `node@${wanted}`, findNode24, otherwise);
