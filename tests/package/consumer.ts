/**
 * A user's folder: the package as npm would publish it, installed where nothing else is. Programs written there find the
 * package as a user's do.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly sideEffects: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

/** What users import: "cotangent", "cotangent/numpy", … */
export const entryPoints: readonly string[] = Object.keys(manifest.exports)
  .filter((path) => path !== "./package.json")
  .map((path) => `cotangent${path.slice(1)}`);

/** Runs a program, with more in its environment; what it printed, or an error with all of it. */
export const run = (
  command: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...more };
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`));
    });
  });

/** A program of the repository's own node_modules. */
export const bin = (name: string): string => join(root, "node_modules", ".bin", name);

export interface Consumer {
  readonly folder: string;
  readonly tarball: string;
  /** Where the package lies installed. */
  readonly installed: string;
  /** Writes a file into the folder; its path. */
  write(name: string, text: string): string;
  remove(): void;
}

export async function makeConsumer(): Promise<Consumer> {
  if (!existsSync(join(root, "dist", "index.js"))) throw new Error("nothing to pack: run `npm run build` first");
  // Without symbolic links in the path: bundlers and servers compare resolved paths.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cotangent-consumer-")));
  // `prepack` would build again what `npm test` has just built.
  await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
  const tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz"))!,
  );
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  write("package.json", JSON.stringify({ name: "consumer", private: true }));
  const peers = [`fast-check@${manifest.devDependencies["fast-check"]}`];
  const quiet = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  await run("npm", ["install", ...quiet, tarball, ...peers], folder);
  return {
    folder,
    tarball,
    installed: join(folder, "node_modules", "cotangent"),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
