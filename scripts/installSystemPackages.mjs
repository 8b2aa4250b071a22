// The tests load the package in a page, so they need chromium, and they run kernels on WebGPU, which on Linux needs the
// Vulkan loader and a driver: without a GPU that is SwiftShader, which comes with chromium. They run notebooks, which takes
// Jupyter's nbconvert. On Debian as root this installs what is missing; elsewhere it says what to install.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { argv, env, exit, getuid, platform } from "node:process";
import { pathToFileURL } from "node:url";
import { firstExecutable } from "./firstExecutable.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const elsewhere = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** The browser's executable: $CHROMIUM, or the first known name on the PATH; undefined if there is none. */
export function findChromium() {
  return firstExecutable([env.CHROMIUM, ...onPath(...names), ...elsewhere]);
}
const onPath = (...programs) =>
  (env.PATH ?? "").split(delimiter).flatMap((folder) => programs.map((name) => join(folder, name)));

/** The executable `jupyter`, if `jupyter nbconvert` is there too; undefined if not. */
export function findJupyter() {
  return firstExecutable(onPath("jupyter-nbconvert")) && firstExecutable(onPath("jupyter"));
}

const softwareDriver = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** Variables that lead WebGPU in Node to a driver; they must be set before the process asks for an adapter. */
export function gpuEnvironment() {
  // A driver that somebody chose, or a platform whose driver needs no choice.
  if (env.VK_DRIVER_FILES !== undefined || !existsSync(softwareDriver)) return {};
  // Mesa, where it is asked too, complains on stderr without the second.
  return { VK_DRIVER_FILES: softwareDriver, XDG_RUNTIME_DIR: env.XDG_RUNTIME_DIR ?? "/tmp" };
}

/** Flags with which a headless chromium has WebGPU, without a GPU too. */
export const chromiumGpuFlags = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

function hasVulkan() {
  if (platform !== "linux") return true;
  const folders = ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
  return folders.some((folder) => existsSync(join(folder, "libvulkan.so.1")));
}

function apt(...args) {
  const options = { stdio: "inherit", env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
  return spawnSync("apt-get", args, options).status === 0;
}

function installPackages() {
  const missing = () => [
    ...(findChromium() === undefined ? ["chromium"] : []),
    ...(hasVulkan() ? [] : ["libvulkan1"]),
    ...(findJupyter() === undefined ? ["jupyter-core", "jupyter-nbconvert"] : []),
  ];
  const packages = missing();
  if (packages.length === 0) return;
  const command = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
  if (existsSync("/etc/debian_version") && getuid?.() === 0) {
    console.log(`missing: ${command}`);
    apt("update", "--quiet");
    if (apt(...command.split(" ").slice(1)) && missing().length === 0) return;
  }
  console.error(
    "The tests load the package in a page, run kernels on WebGPU, and run notebooks, and found no " +
      `${packages.join(" and no ")}.\nInstall it (on Debian and Ubuntu: sudo ${command}).` +
      "\nCHROMIUM may be the path of a Chrome or Chromium, VK_DRIVER_FILES that of a Vulkan driver's manifest.",
  );
  exit(1);
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) installPackages();
