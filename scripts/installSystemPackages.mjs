// The tests load the package in a page, so they need chromium. On Debian as root this installs it if it is missing;
// elsewhere it says what to install. `findChromium` is what the tests start.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { argv, env, exit, getuid } from "node:process";
import { pathToFileURL } from "node:url";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const elsewhere = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** The browser's executable: $CHROMIUM, or the first known name on the PATH; undefined if there is none. */
export function findChromium() {
  const onPath = (env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [env.CHROMIUM, ...onPath, ...elsewhere].find(
    (file) => file !== undefined && file !== "" && isExecutable(file),
  );
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function apt(...args) {
  const options = { stdio: "inherit", env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
  return spawnSync("apt-get", args, options).status === 0;
}

function install() {
  if (findChromium() !== undefined) return;
  const command = "apt-get install --yes --no-install-recommends chromium";
  if (existsSync("/etc/debian_version") && getuid?.() === 0) {
    console.log(`chromium is missing: ${command}`);
    apt("update", "--quiet");
    if (apt(...command.split(" ").slice(1)) && findChromium() !== undefined) return;
  }
  console.error(
    "The tests load the package in a page and found no chromium.\n" +
      `Install it (on Debian and Ubuntu: sudo ${command}), or set CHROMIUM to the path of a Chrome or Chromium.`,
  );
  exit(1);
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) install();
