/**
 * `npm run bench [calls | compiler | kernels]`: all parts, or those named. Times are medians; machines drift, so compare
 * ratios within one run only.
 */
import { benchCalls } from "./calls.ts";
import { benchCompiler } from "./compiler.ts";
import { benchKernels } from "./kernels.ts";
import { print } from "./measure.ts";

const parts: Readonly<Record<string, () => void | Promise<void>>> = {
  calls: benchCalls,
  compiler: benchCompiler,
  kernels: benchKernels,
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`no part ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}`);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  print(`── ${name}`);
  await run();
  print("");
}
