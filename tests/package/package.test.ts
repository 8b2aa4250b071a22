/**
 * The package as users get it: packed, installed in an empty folder, imported from Node (both module systems), Deno, a
 * page and through bundlers. Linters of packages do not see what breaks there.
 */
import { readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { type Rollup, build as viteBuild } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumGpuFlags } from "../../scripts/installSystemPackages.mjs";
import { type Consumer, bin, entryPoints, makeConsumer, manifest, root, run } from "./consumer.ts";
import { runInPage } from "./page.ts";

/** Of a bundle with grad, jit, vmap and some functions of numpy by name, minified and gzipped: all of the wasm device, threads included. */
const bundleLimitBytes = 178_000;

let consumer: Consumer;
beforeAll(async () => {
  consumer = await makeConsumer();
});
afterAll(() => consumer?.remove());

// Uses a function, a method, and whether two entry points share one class.
const body = `
  const x = numpy.array([1, 2]);
  const result = {
    sum: Array.from(await numpy.sum(x).data()),
    method: Array.from(await x.add(1).data()),
    sameClass: array([1]) instanceof NDArray,
  };`;
const esmProgram = `
  import { NDArray, numpy } from "cotangent";
  import { array } from "cotangent/numpy";
  ${body}`;
const cjsProgram = `
  const { NDArray, numpy } = require("cotangent");
  const { array } = require("cotangent/numpy");
  (async () => {${body}
  console.log(JSON.stringify(result)); })();`;
const print = "console.log(JSON.stringify(result));";
const expected = { sum: [3], method: [2, 3], sameClass: true };

const runtimes = [
  { name: "Node, ES modules", extension: "mjs", command: process.execPath, args: [] },
  { name: "Node, CommonJS", extension: "cjs", command: process.execPath, args: [] },
  { name: "Deno", extension: "mjs", command: bin("deno"), args: ["run", "--allow-all"] },
];

describe("in a user's program", () => {
  const slug = (specifier: string): string => specifier.replaceAll("/", "-");

  test.each(runtimes)("$name: every entry point loads by itself", { timeout: 60_000 }, async (runtime) => {
    const { extension, command, args } = runtime;
    for (const specifier of entryPoints) {
      const load = extension === "cjs" ? `require("${specifier}")` : `await import("${specifier}")`;
      const path = consumer.write(`load-${slug(specifier)}.${extension}`, `console.log(Object.keys(${load}).length);`);
      expect(Number(await run(command, [...args, path], consumer.folder)), specifier).toBeGreaterThan(0);
    }
  });

  test.each(runtimes)("$name: computes", { timeout: 60_000 }, async ({ extension, command, args }) => {
    const text = extension === "cjs" ? cjsProgram : esmProgram + print;
    const path = consumer.write(`compute.${extension}`, text);
    expect(JSON.parse(await run(command, [...args, path], consumer.folder))).toEqual(expected);
  });

  test("a page: every entry point loads, and it computes", { timeout: 60_000 }, async () => {
    const imports = {
      cotangent: "/node_modules/cotangent/dist/index.js",
      ...Object.fromEntries(
        entryPoints
          .slice(1)
          .map((name) => [name, `/node_modules/cotangent/dist/${name.slice("cotangent/".length)}.js`]),
      ),
      // The optional peer of cotangent/testing and what it imports.
      "fast-check": "/node_modules/fast-check/lib/fast-check.js",
      "pure-rand/": "/node_modules/pure-rand/lib/esm/",
    };
    const load = entryPoints.map((name) => `["${name}", Object.keys(await import("${name}")).length]`);
    const program = `${esmProgram}; report({ ...result, loaded: Object.fromEntries([${load.join(",")}]) });`;
    const { loaded, ...result } = (await runInPage(consumer.folder, imports, program)) as typeof expected & {
      loaded: Record<string, number>;
    };
    expect(result).toEqual(expected);
    expect(Object.keys(loaded).filter((name) => loaded[name] === 0)).toEqual([]);
  });
});

describe("in a user's program, on WebGPU", () => {
  const body = `
    const device = await init("webgpu");
    const f = jit((x) => numpy.sum(numpy.sin(x).mul(x)));
    const result = { device: String(device), sum: await f(numpy.arange(1000).mul(0.01)).jsAsync() };`;
  const esm = `import { init, jit, numpy } from "cotangent"; ${body}`;
  const cjs = `
    const { init, jit, numpy } = require("cotangent");
    (async () => {${body}
    ${print} })();`;
  const check = (result: unknown): void => {
    const { device, sum } = result as { device: string; sum: number };
    expect(device).toBe("webgpu:0");
    const wanted = Array.from({ length: 1000 }, (_, i) => Math.sin(0.01 * i) * 0.01 * i).reduce((a, b) => a + b);
    expect(Math.abs(sum - wanted)).toBeLessThan(1e-3 * Math.abs(wanted));
  };
  // Node has no WebGPU of its own. The optional peer is looked for next to the package; a link instead of 130 MB.
  beforeAll(() => symlinkSync(join(root, "node_modules/webgpu"), join(consumer.folder, "node_modules/webgpu")));

  test.each(runtimes)("$name: computes", { timeout: 60_000 }, async ({ extension, command, args }) => {
    const path = consumer.write(`webgpu.${extension}`, extension === "cjs" ? cjs : esm + print);
    check(JSON.parse(await run(command, [...args, path], consumer.folder)));
  });

  test("a page: computes", { timeout: 60_000 }, async () => {
    const imports = { cotangent: "/node_modules/cotangent/dist/index.js" };
    check(await runInPage(consumer.folder, imports, `${esm} report(result);`, chromiumGpuFlags));
  });
});

describe("types", () => {
  test.each(["mts", "cts"])(
    "a strict program without the types of Node compiles: .%s",
    { timeout: 120_000 },
    async (ext) => {
      const imports = entryPoints.map((name, i) => `import * as m${i} from "${name}";`);
      const program = `${imports.join("\n")}
      export const all = [${entryPoints.map((_, i) => `m${i}`).join(", ")}];
      export const x: m0.NDArray = m0.numpy.array([1, 2]).add(1);
      // @ts-expect-error: declarations that failed to resolve would be \`any\`, and this no error
      export const y: string = m0.numpy.array([1, 2]);`;
      const files = [consumer.write(`program.${ext}`, program)];
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        module: "nodenext",
        target: "es2022",
        lib: ["es2022", "esnext.disposable", "dom"],
        types: [],
        // Our declarations are to be right in themselves.
        skipLibCheck: false,
      };
      const config = consumer.write(`tsconfig.${ext}.json`, JSON.stringify({ compilerOptions, files }));
      await run(bin("tsc"), ["--project", config], consumer.folder);
    },
  );

  test("are the wrong ones nowhere (attw)", { timeout: 120_000 }, async () => {
    await run(bin("attw"), [consumer.tarball], consumer.folder);
  });
});

describe("the tarball", () => {
  test("is well formed (publint)", { timeout: 60_000 }, async () => {
    await run(bin("publint"), ["run", consumer.tarball, "--strict"], consumer.folder);
  });

  test("runs nothing when it is installed", () => {
    const onInstall = ["preinstall", "install", "postinstall", "prepare"];
    expect(Object.keys(manifest.scripts).filter((name) => onInstall.includes(name))).toEqual([]);
  });

  test("holds the build and no path of the machine that made it", () => {
    const names = readdirSync(consumer.installed);
    expect(names).toEqual(expect.arrayContaining(["LICENSE", "dist", "package.json"]));
    expect(names.filter((name) => !["LICENSE", "README.md", "dist", "package.json"].includes(name))).toEqual([]);
    const dist = join(consumer.installed, "dist");
    const files = readdirSync(dist).map((name) => [name, readFileSync(join(dist, name), "utf8")] as const);
    expect(files.filter(([, text]) => text.includes(root)).map(([name]) => name)).toEqual([]);
  });

  test("sideEffects names the installs and the entry points that import them", () => {
    const dist = join(consumer.installed, "dist");
    const acts = readdirSync(dist)
      .filter((name) => /\.c?js$/.test(name) && !name.startsWith("chunk-"))
      .filter((name) => name.startsWith("install-") || /["']\.\/install-/.test(readFileSync(join(dist, name), "utf8")))
      .map((name) => `./dist/${name}`);
    const listed = manifest.sideEffects.filter((name) => name.startsWith("./dist/"));
    expect([...listed].sort()).toEqual(acts.sort());
  });
});

/** The text of one file with the program and all that it needs of the package. */
const bundlers = {
  async esbuild(program: string): Promise<string> {
    const stdin = { contents: program, resolveDir: consumer.folder };
    const options = { bundle: true, minify: true, write: false, platform: "browser", logLevel: "error" } as const;
    const result = await esbuild.build({ ...options, stdin, format: "esm", target: "es2022" });
    return result.outputFiles[0]!.text;
  },
  async vite(program: string): Promise<string> {
    const entry = consumer.write("bundled.mjs", program);
    const [output] = (await viteBuild({
      configFile: false,
      root: consumer.folder,
      logLevel: "error",
      build: {
        target: "es2022",
        write: false,
        lib: { entry, formats: ["es"] },
        rollupOptions: { output: { inlineDynamicImports: true } },
      },
    })) as Rollup.RollupOutput[];
    return output!.output[0].code;
  },
};
const gzippedBytes = (text: string): number => gzipSync(text, { level: 9 }).length;

describe.each(Object.entries(bundlers))("bundled with %s", (name, bundle) => {
  // Through an entry point that the root re-exports, and with named imports only: see tsup.config.ts.
  const byName = `
    import { NDArray } from "cotangent";
    import * as numpy from "cotangent/numpy";
    import { array } from "cotangent/numpy";
    ${body}${print}`;
  const numpyAlone = `
    import { array } from "cotangent/numpy";
    const result = Array.from(await array([1, 2]).add(1).data());
    ${print}`;

  test.each([
    { title: "the root", program: esmProgram + print, output: expected },
    { title: "an entry point", program: byName, output: expected },
    { title: "one name of an entry point", program: numpyAlone, output: [2, 3] },
  ])("methods and evaluator survive: $title", { timeout: 60_000 }, async ({ program, output }) => {
    const path = consumer.write(`bundle-${name}.mjs`, await bundle(program));
    expect(JSON.parse(await run(process.execPath, [path], consumer.folder))).toEqual(output);
  });

  test("what is not used is left out", { timeout: 60_000 }, async () => {
    const all = gzippedBytes(await bundle(`import * as everything from "cotangent"; console.log(everything);`));
    const some = gzippedBytes(
      await bundle(`import { grad, jit, numpy } from "cotangent"; console.log(grad, jit, numpy);`),
    );
    const named = gzippedBytes(
      await bundle(`
        import { grad, jit, vmap } from "cotangent";
        import { array, matmul, mean, tanh } from "cotangent/numpy";
        console.log(grad, jit, vmap, array, matmul, mean, tanh);`),
    );
    const tree = gzippedBytes(await bundle(`import * as tree from "cotangent/tree"; console.log(tree);`));
    console.log(
      `${name}, gzipped: everything ${all}, grad + jit + numpy ${some}, the same with named imports ${named}, tree ${tree} bytes`,
    );
    expect(some).toBeLessThan(all);
    expect(tree).toBeLessThan(some / 2);
    expect(named).toBeLessThan(some);
    expect(named).toBeLessThan(bundleLimitBytes);
  });
});
