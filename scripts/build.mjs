// `npm run build`: tsup, and then a repair of declarations. Arguments go to tsup.
//
// A type that several entry points use stands in a chunk of its own. Where a namespace exports it, the bundler of
// declarations writes `declare const index_Layer: typeof Layer`, as if it were a value. An import of it by that second name
// says the same of whatever it is.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, execPath, exit } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsup = ["node_modules/tsup/dist/cli-default.js", ...argv.slice(2)];
const { status } = spawnSync(execPath, tsup, { stdio: "inherit", cwd: root });
if (status !== 0) exit(status ?? 1);

const alias = /^declare const (\w+): typeof (\w+);\n/gm;
const imports = /^(import \{)(.*)(\} from '\.\/.*';)$/gm;
const dist = join(root, "dist");

/** The names of an import list: what is imported, and what it is called here. */
const namesOf = (list) =>
  list.split(",").map((item) => {
    const [there, here = there] = item.trim().split(" as ");
    return { there, here };
  });

for (const name of readdirSync(dist).filter((file) => /\.d\.c?ts$/.test(file))) {
  const text = readFileSync(join(dist, name), "utf8");
  const imported = new Set([...text.matchAll(imports)].flatMap(([, , list]) => namesOf(list).map(({ here }) => here)));
  const aliases = [...text.matchAll(alias)].map(([, second, first]) => ({ first, second }));
  const found = aliases.filter(({ first }) => imported.has(first));
  if (found.length === 0) continue;
  const seconds = new Set(found.map(({ second }) => second));
  const repaired = text
    .replace(alias, (line, second) => (seconds.has(second) ? "" : line))
    .replace(imports, (line, start, list, end) => {
      const more = namesOf(list).flatMap(({ there, here }) =>
        found.filter(({ first }) => first === here).map(({ second }) => `${there} as ${second}`),
      );
      return `${start}${[list.trimEnd(), ...more].join(", ")} ${end}`;
    });
  writeFileSync(join(dist, name), repaired);
}
