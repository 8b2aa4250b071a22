import { accessSync, constants } from "node:fs";

/** The first of some paths, which may be missing or empty, that is a file one may execute; undefined if none is. */
export function firstExecutable(files) {
  return files.find((file) => file !== undefined && file !== "" && isExecutable(file));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
