// Runs the reference cases of tests/golden against the build. Fails if a case whose function exists fails, or if fewer
// cases pass than tests/golden/floor.json says. Functions that are missing are counted.
//
//   npm run golden                           the table and the failures
//   npm run golden -- --family linalg,fft    some families, or --fn TEXT, some functions: the floor is not looked at
//   npm run golden -- --list-missing         the names of the missing functions
//   npm run golden -- --raise                if all is well, writes the number that passed into floor.json
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, execPath, exit } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...path) => join(root, ...path);
const floorFile = at("tests", "golden", "floor.json");
const options = argv.slice(2).filter((option) => option !== "--raise");

if (!existsSync(at("dist", "index.js"))) {
  console.error("There is no build to look at: run `npm run build` first.");
  exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "cotangent-golden-"));
const json = join(folder, "report.json");
const command = [at("tests/golden/run-golden.mjs"), at("dist/index.js"), "--data", at("tests/golden/cases")];
const run = spawnSync(execPath, [...command, "--list-failures", "--json", json, ...options], {
  cwd: root,
  stdio: "inherit",
});
// The runner exits with 0 whatever the cases say, and before it has written the report if it breaks.
if (run.status !== 0 || !existsSync(json)) {
  console.error("The runner did not finish.");
  exit(1);
}
const { passed, failed, missing } = JSON.parse(readFileSync(json, "utf8")).total;
rmSync(folder, { recursive: true });

const problems = [];
if (failed > 0) problems.push(`${failed} cases failed`);
const all = !options.some((option) => option === "--family" || option === "--fn");
const floor = all ? JSON.parse(readFileSync(floorFile, "utf8")).passed : 0;
if (passed < floor) problems.push(`${passed} cases passed, but floor.json asks for ${floor}`);
console.log(`golden: ${passed} passed, ${failed} failed, ${missing} missing`);
if (problems.length > 0) {
  console.error(problems.join("; "));
  exit(1);
}
if (argv.includes("--raise") && all) writeFileSync(floorFile, `{ "passed": ${passed} }\n`);
