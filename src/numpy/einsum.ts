/**
 * Einstein summation for any number of operands, each pair contracted by one dotGeneral.
 *
 * A label is a string: a letter, or a number for the axes an ellipsis stands for, counted from the last. Axes of length
 * 1 go with any length. The order of contractions is the one with the fewest multiplications, searched fully for up to
 * `EXHAUSTIVE` operands and greedily beyond.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { splitOptions } from "../core/options.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { type Shape, range, shapeText } from "../core/shape.ts";
import { convert, sumAxes, transpose } from "../core/structural.ts";
import { squeeze } from "../lax/movement.ts";
import { reduceOr } from "../lax/reduce.ts";
import { optionalDType } from "./arguments.ts";
import { type ProductOptions, product, productNames } from "./contract.ts";
import { diagonal } from "./triangles.ts";
import { unit } from "../core/unit.ts";

type Labels = readonly string[];
type Sizes = ReadonlyMap<string, number>;

/** Axes by number, for the form without a string. */
export type EinsumAxes = readonly (number | "...")[];

export interface EinsumOptions extends ProductOptions {
  /** How to order contractions: true or `"auto"` searches, false goes from left to right, a list of pairs is followed. */
  readonly optimize?: boolean | string | readonly (readonly number[])[] | undefined;
}
const optionNames = ["optimize", ...productNames] as const;

const EXHAUSTIVE = 5;

// ---------------------------------------------------------------- parsing

const badSubscripts = (subscripts: string, why: string, fix: string): ArgumentError =>
  new ArgumentError("EinsumSubscripts", {
    what: `einsum: ${JSON.stringify(subscripts)}: ${why}`,
    why: "every operand has one letter per axis; letters missing in the result are summed over",
    fix,
  });

const ELLIPSIS = "...";

/** The letters of one operand or of the result; an ellipsis is one item. */
function lettersOf(subscripts: string, term: string): string[] {
  const items: string[] = [];
  for (let i = 0; i < term.length; i++) {
    if (term.startsWith(ELLIPSIS, i)) {
      items.push(ELLIPSIS);
      i += 2;
    } else if (/\p{L}/u.test(term[i]!)) items.push(term[i]!);
    else
      throw badSubscripts(
        subscripts,
        `${JSON.stringify(term[i])} is no letter`,
        'write letters, commas, "..." and one "->"',
      );
  }
  return items;
}

/** Labels of an operand: an ellipsis becomes numbered axes, counted from the last. */
function labelsOf(subscripts: string, items: readonly string[], ndim: number, position: number): string[] {
  const dots = items.filter((c) => c === ELLIPSIS).length;
  const filled = ndim - (items.length - dots);
  if (dots > 1 || filled < 0 || (dots === 0 && filled > 0))
    throw badSubscripts(
      subscripts,
      `operand ${position} has ${ndim} axes but ${items.length - dots} letters${dots ? " and an ellipsis" : ""}`,
      "give one letter per axis, or an ellipsis for the others",
    );
  return items.flatMap((c) => (c === ELLIPSIS ? range(filled).map((i) => String(filled - 1 - i)) : [c]));
}

interface Parsed {
  readonly inputs: readonly Labels[];
  readonly output: Labels;
  readonly sizes: Sizes;
}

function parse(subscripts: string, shapes: readonly Shape[]): Parsed {
  const [left, right, ...more] = subscripts.replace(/\s/g, "").split("->") as [string, string | undefined, ...string[]];
  const terms = left.split(",");
  if (more.length > 0 || terms.length !== shapes.length)
    throw badSubscripts(
      subscripts,
      more.length > 0 ? 'more than one "->"' : `${terms.length} terms for ${shapes.length} operands`,
      "write one term per operand, separated by commas",
    );
  const inputs = terms.map((term, i) => labelsOf(subscripts, lettersOf(subscripts, term), shapes[i]!.length, i));
  const broadcast = range(Math.max(0, ...inputs.map((l) => l.filter(isNumbered).length)))
    .map(String)
    .reverse();
  return { inputs, output: outputOf(subscripts, right, inputs, broadcast), sizes: sizesOf(inputs, shapes) };
}

const isNumbered = (label: string): boolean => /^\d+$/.test(label);

function outputOf(subscripts: string, given: string | undefined, inputs: readonly Labels[], broadcast: Labels): Labels {
  const letters = inputs.flat().filter((l) => !isNumbered(l));
  if (given === undefined)
    return [...broadcast, ...letters.filter((l) => letters.indexOf(l) === letters.lastIndexOf(l)).sort()];
  const items = lettersOf(subscripts, given);
  const unknown = items.find((c) => c !== ELLIPSIS && !letters.includes(c));
  const repeated = items.find((c, i) => items.indexOf(c) !== i);
  if (unknown !== undefined || repeated !== undefined)
    throw badSubscripts(
      subscripts,
      unknown === undefined ? `${repeated!} occurs twice in the result` : `${unknown} occurs in the result only`,
      "name axes of the operands in the result, each once",
    );
  if (broadcast.length > 0 && !items.includes(ELLIPSIS))
    throw badSubscripts(
      subscripts,
      "the operands have an ellipsis, the result has none",
      'write "..." in the result as well',
    );
  return items.flatMap((c) => (c === ELLIPSIS ? broadcast : [c]));
}

/** The length of every label's axes; 1 goes with any. */
function sizesOf(inputs: readonly Labels[], shapes: readonly Shape[]): Sizes {
  const sizes = new Map<string, number>();
  inputs.forEach((labels, i) =>
    labels.forEach((label, axis) => {
      const n = shapes[i]![axis]!;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && n !== 1 && known !== n)
        throw new ShapeError("EinsumLengths", {
          what: `einsum: ${isNumbered(label) ? "an axis of the ellipsis" : label} has lengths ${known} and ${n} (operands of shapes ${shapes.map(shapeText).join(", ")})`,
          why: "axes with the same letter have the same length",
          fix: "use different letters, or check the operands' shapes",
        });
      if (known === 1) sizes.set(label, n);
    }),
  );
  return sizes;
}

// ---------------------------------------------------------------- order of contractions

/** Which two operands to contract next; the result goes to the end of the list. */
type Step = readonly [number, number];

const volume = (labels: Iterable<string>, sizes: Sizes): number => {
  let n = 1;
  for (const l of labels) n *= sizes.get(l)!;
  return n;
};

/** Labels of the product of two operands: those that somebody else still needs. */
function resultLabels(a: Labels, b: Labels, others: readonly Labels[], output: Labels): Labels {
  const needed = new Set([...output, ...others.flat()]);
  return [...new Set([...a, ...b])].filter((l) => needed.has(l));
}

const pairsOf = (n: number): Step[] => range(n).flatMap((i) => range(n - i - 1).map((j): Step => [i, i + j + 1]));

const contracted = (list: readonly Labels[], [i, j]: Step, output: Labels): readonly Labels[] => {
  const others = list.filter((_, k) => k !== i && k !== j);
  return [...others, resultLabels(list[i]!, list[j]!, others, output)];
};

/** All orders, by depth-first search with the best cost so far as a bound. */
function cheapest(inputs: readonly Labels[], output: Labels, sizes: Sizes): Step[] {
  let best: { cost: number; steps: Step[] } = { cost: Infinity, steps: [] };
  const search = (list: readonly Labels[], cost: number, steps: Step[]): void => {
    if (cost >= best.cost) return;
    if (list.length === 1) {
      best = { cost, steps };
      return;
    }
    for (const [i, j] of pairsOf(list.length)) {
      const work = volume(new Set([...list[i]!, ...list[j]!]), sizes);
      search(contracted(list, [i, j], output), cost + work, [...steps, [i, j]]);
    }
  };
  search(inputs, 0, []);
  return best.steps;
}

/** Always the pair whose product is smallest compared to its operands. */
function greedy(inputs: readonly Labels[], output: Labels, sizes: Sizes): Step[] {
  const steps: Step[] = [];
  for (let list = inputs; list.length > 1;) {
    const score = ([i, j]: Step): number => {
      const next = contracted(list, [i, j], output).at(-1)!;
      return volume(next, sizes) - volume(list[i]!, sizes) - volume(list[j]!, sizes);
    };
    const step = pairsOf(list.length).reduce((a, b) => (score(b) < score(a) ? b : a));
    steps.push(step);
    list = contracted(list, step, output);
  }
  return steps;
}

function stepsFor({ inputs, output, sizes }: Parsed, optimize: EinsumOptions["optimize"] = "auto"): Step[] {
  if (inputs.length < 2) return [];
  if (Array.isArray(optimize)) return checkedPath(optimize as readonly (readonly number[])[], inputs.length);
  if (optimize === false) return inputs.slice(1).map((_, k): Step => (k === 0 ? [0, 1] : [0, inputs.length - 1 - k]));
  return inputs.length <= EXHAUSTIVE ? cheapest(inputs, output, sizes) : greedy(inputs, output, sizes);
}

function checkedPath(path: readonly (readonly number[])[], n: number): Step[] {
  const fits =
    path.length === n - 1 &&
    path.every((s, k) => s.length === 2 && s[0] !== s[1] && s.every((i) => i >= 0 && i < n - k));
  if (fits) return path.map(([i, j]): Step => [Math.min(i!, j!), Math.max(i!, j!)]);
  throw new ArgumentError("EinsumPath", {
    what: `einsum: optimize = ${JSON.stringify(path)} is no order for ${n} operands`,
    why: "each step names two places in the list; their product goes to its end",
    fix: "pass the path of numpy.einsumPath, or leave optimize out",
  });
}

// ---------------------------------------------------------------- contraction

interface Operand {
  readonly x: NDArray;
  readonly labels: Labels;
}

const sumOver = (x: NDArray, axes: readonly number[]): NDArray =>
  isBool(x.dtype) ? reduceOr(x, axes) : sumAxes(x, axes);

/** Repeated labels become diagonals; axes of length 1 beside longer ones go. */
function withoutRepeats({ x, labels }: Operand): Operand {
  const first = labels.findIndex((l, i) => labels.indexOf(l) !== i);
  if (first < 0) return { x, labels };
  const [i, j] = [labels.indexOf(labels[first]!), first];
  if (x.shape[i] !== x.shape[j]) {
    const short = x.shape[i] === 1 ? i : j;
    return withoutRepeats({ x: squeeze(x, [short]), labels: labels.filter((_, k) => k !== short) });
  }
  const rest = labels.filter((_, k) => k !== i && k !== j);
  return withoutRepeats({ x: diagonal(x, 0, i, j), labels: [...rest, labels[i]!] });
}

/** Sums over labels that nobody needs. */
function reduced({ x, labels }: Operand, needed: ReadonlySet<string>): Operand {
  const axes = range(labels.length).filter((i) => !needed.has(labels[i]!));
  return axes.length === 0 ? { x, labels } : { x: sumOver(x, axes), labels: labels.filter((l) => needed.has(l)) };
}

/** Without axes of length 1 that the other operand has longer. */
function withoutSingles({ x, labels }: Operand, other: Operand): Operand {
  const axes = range(labels.length).filter((i) => {
    const j = other.labels.indexOf(labels[i]!);
    return x.shape[i] === 1 && j >= 0 && other.x.shape[j] !== 1;
  });
  return axes.length === 0
    ? { x, labels }
    : { x: squeeze(x, axes), labels: labels.filter((_, i) => !axes.includes(i)) };
}

/** One product of two operands, with the labels that remain. */
function contractPair(a: Operand, b: Operand, remaining: Labels, options: ProductOptions): Operand {
  const keep = new Set(remaining);
  const [l, r] = [withoutSingles(a, b), withoutSingles(b, a)];
  const lhs = reduced(l, new Set([...keep, ...r.labels]));
  const rhs = reduced(r, new Set([...keep, ...l.labels]));
  const shared = lhs.labels.filter((n) => rhs.labels.includes(n));
  const batch = shared.filter((n) => keep.has(n));
  const summed = shared.filter((n) => !keep.has(n));
  const places = (o: Operand, names: Labels): number[] => names.map((n) => o.labels.indexOf(n));
  const own = (o: Operand): Labels => o.labels.filter((n) => !shared.includes(n));
  // The order that needs no transposition afterwards, if there is one.
  const swapped = remaining.length > 0 && [...batch, ...own(rhs), ...own(lhs)].every((n, i) => n === remaining[i]);
  const [p, q] = swapped ? [rhs, lhs] : [lhs, rhs];
  const x = product(
    p.x,
    q.x,
    [
      [places(p, summed), places(q, summed)],
      [places(p, batch), places(q, batch)],
    ],
    options,
  );
  return { x, labels: [...batch, ...own(p), ...own(q)] };
}

function ordered({ x, labels }: Operand, wanted: Labels): NDArray {
  return transpose(
    x,
    wanted.map((l) => labels.indexOf(l)),
  );
}

/**
 * Sums of products by Einstein's convention: letters name axes, those missing in the result are summed over.
 *
 * @param subscripts such as `"ij,jk->ik"`; without `->` the result has the letters that occur once, in alphabetical order
 * @example
 * np.einsum("ij,j->i", np.array([[1, 2], [3, 4]]), np.array([1, 1])) // [3, 7]
 */
export function einsum(subscripts: string, ...operands: readonly (ArrayLike | EinsumOptions)[]): NDArray;
export function einsum(
  operand: ArrayLike,
  axes: EinsumAxes,
  ...operands: readonly (ArrayLike | EinsumAxes | EinsumOptions)[]
): NDArray;
export function einsum(...args: readonly unknown[]): NDArray {
  return einsumUnit(...args);
}
const einsumUnit = /* @__PURE__ */ unit("einsum", 0, function einsum(...args: readonly unknown[]): NDArray {
  const { subscripts, operands, options } = readArguments("einsum", args);
  const { optimize, ...productOptions } = options;
  const arrays = promoteOperands("einsum", operands);
  const parsed = parse(
    subscripts,
    arrays.map((x) => x.shape),
  );
  const { inputs, output } = parsed;
  let list: Operand[] = arrays.map((x, i) => withoutRepeats({ x, labels: inputs[i]! }));
  for (const [i, j] of stepsFor(parsed, optimize)) {
    const others = list.filter((_, k) => k !== i && k !== j);
    const remaining =
      others.length === 0
        ? output
        : resultLabels(
            list[i]!.labels,
            list[j]!.labels,
            others.map((o) => o.labels),
            output,
          );
    list = [...others, contractPair(list[i]!, list[j]!, remaining, productOptions)];
  }
  const last = reduced(list[0]!, new Set(output));
  const preferred = optionalDType(options.preferredElementType);
  const out = ordered(last, output);
  return preferred ? convert(out, preferred) : out;
});

/**
 * The order in which `einsum` contracts: pairs of places in the list of operands, with each product put at its end, and
 * a description.
 *
 * @example
 * np.einsumPath("ij,jk,kl->il", np.ones([2, 3]), np.ones([3, 4]), np.ones([4, 5]))[0] // [[0, 1], [0, 1]]
 */
export function einsumPath(
  subscripts: string,
  ...operands: readonly (ArrayLike | EinsumOptions)[]
): [path: number[][], description: string] {
  const read = readArguments("einsumPath", [subscripts, ...operands]);
  const shapes = read.operands.map((x) => asArray(x, "einsumPath").shape);
  const parsed = parse(read.subscripts, shapes);
  const path = stepsFor(parsed, read.options.optimize).map(([i, j]) => [i, j]);
  const total = volume(parsed.sizes.keys(), parsed.sizes);
  return [
    path,
    `${read.subscripts}: ${path.map((s) => `(${s.join(", ")})`).join(", ")}; at once it would take ${total} products`,
  ];
}

/** Both forms: a string and operands, or operands each followed by a list of axes (and the result's axes). */
function readArguments(name: string, args: readonly unknown[]) {
  const [list, options] = splitOptions<EinsumOptions>(args, optionNames);
  if (typeof list[0] === "string") return { subscripts: list[0], operands: list.slice(1) as ArrayLike[], options };
  const letter = (axis: number | "..."): string =>
    axis === "..." ? axis : String.fromCharCode(axis < 26 ? 97 + axis : axis < 52 ? 65 + axis - 26 : 192 + axis - 52);
  const term = (axes: unknown): string => {
    if (Array.isArray(axes) && axes.every((a) => a === "..." || (Number.isInteger(a) && a >= 0)))
      return (axes as EinsumAxes).map(letter).join("");
    throw new ArgumentError("EinsumAxes", {
      what: `${name}: expected subscripts, or operands each followed by a list of axes`,
      why: "axes are named by letters in a string or by numbers in lists",
      fix: `write ${name}("ij,jk->ik", a, b) or ${name}(a, [0, 1], b, [1, 2], [0, 2])`,
    });
  };
  const pairs = Math.floor(list.length / 2);
  const operands = range(pairs).map((i) => list[2 * i] as ArrayLike);
  const inputs = range(pairs).map((i) => term(list[2 * i + 1]));
  const output = list.length % 2 === 1 ? `->${term(list.at(-1))}` : "";
  return { subscripts: `${inputs.join(",")}${output}`, operands, options };
}
