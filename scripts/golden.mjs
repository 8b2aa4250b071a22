// Runs the reference cases of tests/golden against the build, on one device. Fails if a case whose function exists fails,
// or if fewer cases pass than tests/golden/floor.json says. Functions that are missing are counted. So are cases that a
// device refuses by design: on a GPU, functions that must look at values before they can go on, such as `unique`, whose
// result has a length that depends on them. floor.json also says how many those may be.
//
//   npm run golden                           the table and the failures, on wasm
//   npm run golden -- --device webgpu        on another device
//   npm run golden -- --family linalg,fft    some families, or --fn TEXT, some functions: the floor is not looked at
//   npm run golden -- --list-missing         the names of the missing functions
//   npm run golden -- --raise                if all is well, writes the numbers into floor.json
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, env, execPath, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { gpuEnvironment } from "./installSystemPackages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...path) => join(root, ...path);
const floorFile = at("tests", "golden", "floor.json");
const options = argv.slice(2).filter((option) => option !== "--raise");
if (!options.includes("--device")) options.push("--device", "wasm");
const device = options[options.indexOf("--device") + 1];

/** What the error says with which a device refuses a case by design, word for word. */
const refusals = { webgpu: "the values of an array on WebGPU were asked for synchronously" };

if (!existsSync(at("dist", "index.js"))) {
  console.error("There is no build to look at: run `npm run build` first.");
  exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "cotangent-golden-"));
const json = join(folder, "report.json");
const command = [at("tests/golden/run-golden.mjs"), at("dist/index.js"), "--data", at("tests/golden/cases")];
const run = spawnSync(execPath, [...command, "--list-failures", "--json", json, ...options], {
  cwd: root,
  env: { ...env, ...gpuEnvironment() },
  encoding: "utf8",
  maxBuffer: 2 ** 28,
  stdio: ["inherit", "pipe", "inherit"],
});
// The runner exits with 0 whatever the cases say, and before it has written the report if it breaks.
if (run.status !== 0 || !existsSync(json)) {
  console.error(`${run.stdout}\nThe runner did not finish.`);
  exit(1);
}
const { passed, failed: notPassed, missing } = JSON.parse(readFileSync(json, "utf8")).total;
rmSync(folder, { recursive: true });

let refused = 0;
const table = run.stdout.replace(/^FAIL (\S+: (.*))$/gm, (line, rest, message) => {
  if (message !== refusals[device]) return line;
  refused++;
  return `REFUSED ${rest}`;
});
console.log(table);
const failed = notPassed - refused;

const problems = [];
if (failed > 0) problems.push(`${failed} cases failed`);
const all = !options.some((option) => option === "--family" || option === "--fn");
const floors = JSON.parse(readFileSync(floorFile, "utf8"));
const floor = floors[device] ?? { passed: 0, refused: 0 };
if (all && passed < floor.passed) problems.push(`${passed} cases passed, but floor.json asks for ${floor.passed}`);
if (all && refused > floor.refused)
  problems.push(`${refused} cases were refused, but floor.json allows ${floor.refused}`);
console.log(`golden, ${device}: ${passed} passed, ${failed} failed, ${refused} refused, ${missing} missing`);
if (problems.length > 0) {
  console.error(problems.join("; "));
  exit(1);
}
if (argv.includes("--raise") && all)
  writeFileSync(floorFile, `${JSON.stringify({ ...floors, [device]: { passed, refused } }, null, 2)}\n`);
