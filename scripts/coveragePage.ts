/** The page docs/coverage.md: which names of JAX and optax exist here, by module and tier. */
import { readFileSync } from "node:fs";
import * as library from "../src/index.ts";

type Tier = "1" | "2" | "3";
interface Names {
  readonly source: { readonly jax: string; readonly optax: string };
  /** Where the names of a module live here, by tier: 1 core, 2 expected, 3 long tail. */
  readonly modules: Readonly<Record<string, Readonly<Partial<Record<Tier, readonly string[]>>>>>;
}
const tiers: readonly Tier[] = ["1", "2", "3"];

const array = library.numpy.zeros([2, 2]);
/** Paths into instances. */
const instances: readonly (readonly [string, object])[] = [
  ["Array.prototype.at[].", array.at(0)],
  ["Array.prototype.", array],
];

/** Whether a path such as `numpy.linalg.norm` or `Array.prototype.sum` leads to something. */
function exists(path: string): boolean {
  const [prefix, root] = instances.find(([start]) => path.startsWith(start)) ?? ["", library];
  let at: unknown = root;
  for (const name of path.slice(prefix.length).split(".")) {
    if (at === undefined || at === null) return false;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at !== undefined;
}

export function coveragePage(): string {
  const { source, modules } = JSON.parse(readFileSync("tests/golden/names.json", "utf8")) as Names;
  const lines: string[] = [];
  const missing: string[] = [];
  const sums = tiers.map(() => ({ have: 0, all: 0 }));
  for (const [module, names] of Object.entries(modules)) {
    const cells = tiers.map((tier, i) => {
      const all = names[tier] ?? [];
      const absent = all.filter((path) => !exists(path));
      sums[i]!.have += all.length - absent.length;
      sums[i]!.all += all.length;
      if (absent.length > 0 && tier !== "3")
        missing.push(`- ${module}, tier ${tier}: ${absent.map((p) => `\`${p}\``).join(" ")}`);
      return all.length === 0 ? "" : `${all.length - absent.length} / ${all.length}`;
    });
    lines.push(`| ${module} | ${cells.join(" | ")} |`);
  }
  const total = sums.map(({ have, all }) => `**${have} / ${all}**`);
  return [
    "# Coverage",
    "",
    `Which public names of JAX and optax (${source.jax}; ${source.optax}) exist here, in camelCase, by`,
    "module and tier: 1 is what nearly every program uses, 2 what people expect, 3 the long tail. That a function is right is another",
    "matter: the reference cases, the sweep over primitives and the property tests say so. This page is generated: `npm run docs`.",
    "",
    "| module | tier 1 | tier 2 | tier 3 |",
    "| --- | --- | --- | --- |",
    ...lines,
    `| all | ${total.join(" | ")} |`,
    "",
    "## Missing, tiers 1 and 2",
    "",
    ...missing,
    "",
  ].join("\n");
}
