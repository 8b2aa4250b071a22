import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, resolve, sep } from "node:path";
import { type Options, defineConfig } from "tsup";

type EsbuildPlugin = NonNullable<Options["esbuildPlugins"]>[number];
type TsupPlugin = NonNullable<Options["plugins"]>[number];

// The entry points are those of package.json: "./numpy" is src/numpy/index.ts and becomes dist/numpy.js. The output is
// flat, so that from any file, chunks too, the path to any other is "./name".
const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, unknown> };
const rooms = Object.keys(exports).filter((path) => path.startsWith("./") && path !== "./package.json");
const entries = {
  index: "src/index.ts",
  ...Object.fromEntries(rooms.map((path) => [path.slice(2), `src/${path.slice(2)}/index.ts`])),
};

// The files that act when imported, and whose names package.json's `sideEffects` lists. Left to itself esbuild would
// put their code into a chunk whose name changes with its content, and users' bundlers would drop it. So each is an
// entry of its own, and every import of it stays an import of that file.
const installs = {
  "install-numpy": "src/numpy/install.ts",
  "install-backends": "src/backends/install.ts",
  "install-notebook": "src/notebook/install.ts",
};
const installNames = new Map(Object.entries(installs).map(([name, file]) => [resolve(file), name]));

const keepInstallsApart: EsbuildPlugin = {
  name: "keep-installs-apart",
  setup(build) {
    const extension = build.initialOptions.outExtension?.[".js"] ?? ".js";
    build.onResolve({ filter: /\/install\.ts$/ }, ({ kind, path, resolveDir }) => {
      const name = kind === "entry-point" ? undefined : installNames.get(resolve(resolveDir, path));
      return name === undefined ? undefined : { path: `./${name}${extension}`, external: true, sideEffects: true };
    });
  },
};

// An entry point that another one re-exports (numpy by the root) is moved into a chunk, its imports of the installs with
// it, and a bundler skips that chunk if only names from deeper chunks are used. So the entry's own file repeats them.
const installInEntries: TsupPlugin = {
  name: "install-in-entries",
  renderChunk(code, { type, path, entryPoint }) {
    if (type !== "chunk" || entryPoint === undefined) return undefined;
    const imported = readFileSync(entryPoint, "utf8").matchAll(/^import "(.*\/install\.ts)";/gm);
    const lines = [...imported]
      .map(([, file]) => `import "./${installNames.get(resolve(dirname(entryPoint), file!))}${extname(path)}";\n`)
      .filter((line) => !code.includes(line));
    return { code: `${code}${lines.join("")}` };
  },
};

// A namespace that is re-exported becomes an object that a call fills in, and bundlers keep the call and all that it names.
// Said to be without effects, it goes with the object if nobody uses that. The number of lines stays.
const pureNamespaces: TsupPlugin = {
  name: "pure-namespaces",
  renderChunk(code, { type }) {
    if (type !== "chunk") return undefined;
    const filled = code.replace(/^var (\w+) = \{\};\n__export\(\1, \{/gm, "var $1 = /* @__PURE__ */\n__export({}, {");
    return {
      code: filled.replace(/^(var __export = \(target, all\) => \{\n[\s\S]*?)\n\};/m, "$1; return target;\n};"),
    };
  },
};

// The conversion to CommonJS leaves the absolute path of the folder of the build in its source maps.
const relativeSourceMaps: TsupPlugin = {
  name: "relative-source-maps",
  buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles.filter((file) => file.name.endsWith(".cjs.map"))) {
      const here = `${resolve(dirname(name))}${sep}`;
      const map = JSON.parse(readFileSync(name, "utf8")) as { file?: string; sources: string[] };
      const relative = (path: string): string => (path.startsWith(here) ? path.slice(here.length) : path);
      writeFileSync(name, JSON.stringify({ ...map, file: basename(name, ".map"), sources: map.sources.map(relative) }));
    }
  },
};

// Two things that the conversion to CommonJS gets wrong. It takes the assignment to a private field `#array` for one to an
// exported variable `array`, and then overwrites what the module exports. And it turns `import(name)` into a call of
// `require`, which cannot load ES modules such as the package webgpu before Node 20.19.
const repairCommonJs: TsupPlugin = {
  name: "repair-commonjs",
  buildEnd({ writtenFiles }) {
    const required =
      /Promise\.resolve\(\)\.then\(\(\) => _interopRequireWildcard\(require\((\s*\/\*[^)]*?\bname\s*)\)\)\)/g;
    for (const { name } of writtenFiles.filter((file) => file.name.endsWith(".cjs"))) {
      const code = readFileSync(name, "utf8");
      const repaired = code.replace(/(\.#\w+) = exports\.\w+ = /g, "$1 = ").replace(required, "import($1)");
      if (repaired !== code) writeFileSync(name, repaired);
    }
  },
};

// fp-ts is bundled, from its ES modules. As an external import no path of it loads everywhere: "fp-ts/function" fails in
// Node and Deno, "fp-ts/lib/function.js" is CommonJS and fails in a page. Its values are plain data, so a second copy of
// the few functions used does no harm; the declarations still name fp-ts, which is why it is a dependency.
const bundleFpTs: EsbuildPlugin = {
  name: "bundle-fp-ts",
  setup(build) {
    const require = createRequire(import.meta.url);
    build.onResolve({ filter: /^fp-ts\/lib\// }, ({ path }) => ({
      path: require.resolve(path.replace("/lib/", "/es6/")),
      sideEffects: false,
    }));
  },
};

export default defineConfig({
  entry: { ...entries, ...installs },
  tsconfig: "tsconfig.build.json",
  format: ["esm", "cjs"],
  target: "es2022",
  platform: "neutral",
  dts: { entry: entries },
  sourcemap: true,
  clean: true,
  // CommonJS too: without shared chunks every entry point would hold its own NDArray class and evaluator.
  splitting: true,
  // fflate too: in a page without a bundler nobody finds it by its name.
  noExternal: [/^fp-ts/, /^fflate$/],
  // Imported dynamically, and only where they exist.
  external: [/^node:/],
  removeNodeProtocol: false,
  esbuildPlugins: [keepInstallsApart, bundleFpTs],
  plugins: [pureNamespaces, installInEntries, relativeSourceMaps, repairCommonJs],
});
