/**
 * `npm run bench [calls | compiler | speed]`: all parts, or those named. Times are medians; machines drift, so compare
 * ratios within one run only.
 *
 * Options of `speed`, after `--`: `--only matmul` for the workloads with that in their name, `--seconds 2` for the time of
 * each, `--wide` for our library with wide vectors, `--all` to run in Node, Node 24 (COTANGENT_NODE24, or the one that
 * `npm test` installs) without and with them, and Deno, `--write` to put the tables into docs/performance.md.
 */
import { parseArgs } from "node:util";
import { benchCalls } from "./calls.ts";
import { benchCompiler } from "./compiler.ts";
import { print } from "./measure.ts";
import { benchSpeed } from "./speed.ts";

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "2" },
    all: { type: "boolean", default: false },
    wide: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const parts: Readonly<Record<string, () => void | Promise<void>>> = {
  calls: benchCalls,
  compiler: benchCompiler,
  speed: () => benchSpeed({ ...values, seconds: Number(values.seconds) }),
};
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`no part ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}`);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  print(`── ${name}`);
  await run();
  print("");
}
