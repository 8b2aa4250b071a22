// Notebooks run in Node too, by the kernel tslab. It comes from npm, into a folder of its own: it brings a TypeScript along that
// would take the name `tsc` in node_modules/.bin.
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { firstExecutable } from "./firstExecutable.mjs";
import { folderOf, installApart } from "./installApart.mjs";

const wanted = "1.0.22";

/** tslab's executable; undefined if it is not installed. */
export const findTslab = () => firstExecutable([join(folderOf("tslab"), "node_modules/.bin/tslab")]);

const otherwise = "The notebooks run in Node too, by the kernel tslab, which npm could not install.";
if (import.meta.url === pathToFileURL(argv[1] ?? "").href)
  installApart("tslab", `tslab@${wanted}`, findTslab, otherwise);
