// Runs a notebook in a folder of its own, against the build, with a kernel of Deno's or of Node's (tslab).
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { env, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { differences, differencesAcrossKernels } from "./compareNotebooks.mjs";
import { findJupyter } from "./installSystemPackages.mjs";
import { findTslab } from "./installTslab.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
export const notebookFolder = join(root, "notebooks");

/** Names of all notebooks, without the extension, in order. */
export const notebookNames = () =>
  readdirSync(notebookFolder)
    .filter((name) => name.endsWith(".ipynb"))
    .map((name) => name.slice(0, -".ipynb".length))
    .sort((a, b) => Number.parseInt(a) - Number.parseInt(b) || a.localeCompare(b));

export const readNotebook = (name) => JSON.parse(readFileSync(join(notebookFolder, `${name}.ipynb`), "utf8"));

/** The kernels that a notebook is for, the one whose outputs are committed first. */
export const kernelsOf = (notebook) => notebook.metadata.cotangent?.kernels ?? ["deno"];

/** Whether a notebook takes too long for every run of the tests. */
export const isSlow = (notebook) => notebook.metadata.cotangent?.slow === true;

const deno = join(root, "node_modules", ".bin", platform === "win32" ? "deno.cmd" : "deno");
const kernels = {
  deno: () => ({ argv: [deno, "jupyter", "--kernel", "--conn", "{connection_file}"], display_name: "Deno" }),
  tslab: () => ({ argv: [findTslab(), "kernel", "--config-path", "{connection_file}"], display_name: "TypeScript" }),
};

/** A folder where a notebook finds the packages that it may import: those of notebooks/package.json. */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "cotangent-notebook-"));
  const manifest = readFileSync(join(notebookFolder, "package.json"), "utf8");
  writeFileSync(join(folder, "package.json"), manifest);
  const modules = join(folder, "node_modules");
  for (const name of Object.keys(JSON.parse(manifest).dependencies)) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(name === "cotangent" ? root : join(root, "node_modules", name), link, "junction");
  }
  for (const [name, spec] of Object.entries(kernels)) {
    const at = join(folder, "jupyter", "kernels", name);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "kernel.json"), JSON.stringify({ ...spec(), language: "typescript" }));
  }
  return folder;
}

const secondsPerCell = 120;

/** Runs a notebook; gives it with its outputs. An error of a cell is an error here. */
export async function runNotebook(notebook, kernel) {
  if (!existsSync(join(root, "dist", "index.js"))) throw new Error("nothing to run: `npm run build` first");
  const jupyter = findJupyter();
  if (jupyter === undefined) throw new Error("no jupyter: run `node scripts/installSystemPackages.mjs`");
  if (kernel === "tslab" && findTslab() === undefined) throw new Error("no tslab: run `node scripts/installTslab.mjs`");
  const folder = makeFolder();
  try {
    const path = join(folder, "book.ipynb");
    const kernelspec = { name: kernel, display_name: kernels[kernel]().display_name, language: "typescript" };
    writeFileSync(path, JSON.stringify({ ...notebook, metadata: { ...notebook.metadata, kernelspec } }));
    const timeout = `--ExecutePreprocessor.timeout=${secondsPerCell}`;
    const execute = (...more) =>
      run(jupyter, ["nbconvert", "--to", "notebook", "--execute", "--inplace", timeout, ...more, path], folder);
    try {
      await execute();
    } catch (error) {
      // tslab's errors are what it prints, which a notebook that failed does not keep.
      await execute("--allow-errors");
      throw new Error(`${error.message}\n${printedErrors(JSON.parse(readFileSync(path, "utf8")))}`, { cause: error });
    }
    return JSON.parse(readFileSync(path, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a notebook and compares it with what is committed. Deno's kernel (2.9) sometimes reports a cell as done before all of
 * its output is sent, and nbconvert drops what comes later; so a notebook that differs gets further attempts. What really has
 * changed differs each time.
 */
export async function checkNotebook(committed, kernel) {
  const compare = kernel === kernelsOf(committed)[0] ? differences : differencesAcrossKernels;
  for (let attempt = 1; ; attempt++) {
    const executed = await runNotebook(committed, kernel);
    const found = compare(committed, executed);
    if (found.length === 0 || attempt === mostAttempts) return { executed, found };
  }
}
const mostAttempts = 3;

/** Runs a notebook until two runs show the same, for the same reason. */
export async function settledNotebook(notebook, kernel) {
  for (let attempt = 1, before = await runNotebook(notebook, kernel); ; attempt++) {
    const executed = await runNotebook(notebook, kernel);
    const found = differences(before, executed);
    if (found.length === 0) return executed;
    if (attempt === mostAttempts) throw new Error(`cell ${found[0].cell} shows something else in every run`);
    before = executed;
  }
}

const printedErrors = (notebook) =>
  notebook.cells
    .flatMap(({ outputs = [] }) => outputs.filter((output) => output.name === "stderr"))
    .map(({ text }) => [text].flat().join(""))
    .join("");

const run = (command, args, cwd) =>
  new Promise((resolve, reject) => {
    const more = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", JUPYTER_PATH: join(cwd, "jupyter") };
    // Connection files, and what Jupyter remembers, stay in the folder.
    const home = { JUPYTER_RUNTIME_DIR: join(cwd, "runtime"), IPYTHONDIR: join(cwd, "ipython") };
    // What a notebook shows is what it shows on the default device, with default settings.
    const ours = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("COTANGENT_")));
    const options = { cwd, env: { ...ours, ...more, ...home }, maxBuffer: 2 ** 26 };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      // Of a cell that fails, the cell and its error; what Python was doing meanwhile helps nobody.
      else reject(new Error(/CellExecutionError: ([\s\S]*)/.exec(stderr)?.[1] ?? `${stdout}\n${stderr}`));
    });
  });

/** The executed notebook as a file: what changes from run to run, and colours, left out. */
export function writeNotebook(name, executed, committed) {
  const cells = executed.cells.map(({ metadata: { execution: _, ...metadata }, ...cell }) => ({ ...cell, metadata }));
  const text = JSON.stringify(
    { ...executed, cells, metadata: { ...executed.metadata, ...committed.metadata } },
    null,
    1,
  );
  writeFileSync(join(notebookFolder, `${name}.ipynb`), `${text}\n`);
}
