/** The page docs/compiler.md: one program on its way through the compiler, as the compiler prints it. */
import "../src/backends/install.ts";
import "../src/numpy/install.ts";
import { defaultDevice } from "../src/backends/registry.ts";
import type { NDArray } from "../src/core/ndarray.ts";
import * as np from "../src/numpy/index.ts";
import { jit } from "../src/transforms/jit.ts";

const block = (language: string, text: string): string[] => ["", `\`\`\`${language}`, text, "```", ""];
const head = (text: string, lines: number): string => {
  const all = text.split("\n");
  return all.length <= lines ? text : [...all.slice(0, lines), `… ${all.length - lines} more lines`].join("\n");
};

export function compilerPage(): string {
  defaultDevice("wasm");
  const program = jit(function normalize(x: NDArray) {
    const mean = np.mean(x, 1, { keepdims: true });
    const variance = np.mean(np.square(x.sub(mean)), 1, { keepdims: true });
    return x.sub(mean).div(np.sqrt(variance.add(1e-5)));
  });
  const stages = program.lower(np.ones([8, 32]));
  const cost = stages.costAnalysis();
  const memory = stages.memoryAnalysis();
  return [
    "# The compiler",
    "",
    "One program through every stage, printed by the compiler itself (`npm run docs` makes this page; a test compares it). The",
    "program brings every row of a matrix to mean 0 and variance 1. In a notebook, `jit(f).lower(...args).asText(stage)` shows the",
    "same for any program, and `debug.explain(f, ...args)` evaluates after each stage.",
    "",
    "```ts",
    "const normalize = jit((x) => {",
    "  const mean = np.mean(x, 1, { keepdims: true });",
    "  const variance = np.mean(np.square(x.sub(mean)), 1, { keepdims: true });",
    "  return x.sub(mean).div(np.sqrt(variance.add(1e-5)));",
    "});",
    "const stages = normalize.lower(np.ones([8, 32]));",
    "```",
    "",
    '## 0. Trace: `asText("jaxpr")`',
    "",
    "The function ran once, on tracers. What it did is a jaxpr: typed equations, each applying a primitive.",
    ...block("", stages.asText("jaxpr")),
    '## 1. Simplify: `asText("simplified")`',
    "",
    "`compiler/simplify.ts`. Calls and compositions are replaced by their equations, equal equations merged (the difference is taken",
    "once), identities and dead ones dropped. Captured arrays are inputs: the program does not depend on their values.",
    ...block("", stages.asText("simplified")),
    '## 2. Partition: `asText("fusion")`',
    "",
    "`compiler/partition.ts` decides which equations share a kernel. It asks each equation one thing: pulled at a symbolic position,",
    "which elements of its operands does it read (`access.ts`)? Both reductions have one result per row, and every other equation",
    "needs one row per element: all of it is one kernel over 8 rows. Views belong to no kernel; they are computed where they are read.",
    ...block("", stages.asText("fusion")),
    '## 3 and 4. Lower and schedule: `asText("loops")`',
    "",
    "`compiler/lower.ts` pulls the result at a row and a column: each primitive's `lower` slot gives the scalars of an element in",
    "terms of its operands' elements, so a chain of primitives becomes one expression, with the two reductions inside. The schedule",
    "places every part of it in the outermost loop that knows its variables (`schedule/scopes.ts`) and vectorises: here along the",
    "row, with 16 partial sums in registers (`private`), combined pairwise at the end (`schedule/vector.ts`). Sums of products get",
    "packed panels and register tiles instead (`schedule/contraction.ts`).",
    ...block("", stages.asText("loops")),
    '## 5. Buffers: `asText("buffers")`',
    "",
    "`compiler/assignBuffers.ts` gives every array a place: the caller's, or a run of the program's arena that is free again after",
    "its last reader. This program needs no memory beyond its argument and its result.",
    ...block("", stages.asText("buffers")),
    `\`costAnalysis()\` counts ${cost.flops} float operations, ${cost.bytes} bytes moved and ${cost.kernels} kernel; \`memoryAnalysis()\` says`,
    `${memory.argumentBytes} bytes of arguments, ${memory.outputBytes} of results, ${memory.temporaryBytes} of temporaries.`,
    "",
    '## 6. Code: `asText("wasm")`',
    "",
    "`backends/wasm/codegen.ts` writes the module: one function a kernel, loops over pointers, four lanes an instruction. The start:",
    ...block("wat", head(stages.asText("wasm"), 60)),
    "On WebGPU the same loops become WGSL (`backends/webgpu/wgsl.ts`).",
    "",
    "## Finding a wrong stage",
    "",
    "Every stage can be run: jaxprs by the reference slots, loop nests and programs by `compiler/runProgram.ts` on ordinary memory.",
    "The property tests compare all of them on random programs, so a miscompile is found at the stage that made it.",
    "",
  ].join("\n");
}
