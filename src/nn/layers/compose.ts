/** Layers made of layers: one after the other, side by side, around a shortcut. */
import type { Monoid } from "fp-ts/lib/Monoid.js";
import type { NDArray } from "../../core/ndarray.ts";
import { ShapeError } from "../../core/problem.ts";
import { shapeText } from "../../core/shape.ts";
import type { ShapeDtypeStruct } from "../../core/shapeDtypeStruct.ts";
import * as np from "../../numpy/index.ts";
import * as random from "../../random/index.ts";
import {
  type AnyLayer,
  type ApplyOptions,
  type Initialized,
  type Input,
  type Layer,
  type LayerLike,
  type LayerParams,
  type LayerState,
  asLayer,
  inputOf,
  layer,
  within,
} from "./layer.ts";

/** Layers in a row, whose parameters and state are lists. */
export interface Serial<L extends readonly LayerLike[] = readonly LayerLike[]> extends Layer<
  { readonly [K in keyof L]: LayerParams<L[K]> },
  { readonly [K in keyof L]: LayerState<L[K]> }
> {
  readonly layers: L;
}
/** The members of lists in a list, in their place. */
type Flat<L extends readonly unknown[]> = L extends readonly [infer A, ...infer R]
  ? A extends Serial<infer M>
    ? readonly [...M, ...Flat<R>]
    : readonly [A, ...Flat<R>]
  : L;
type Listed<L extends readonly unknown[]> = Flat<L> extends infer F extends readonly LayerLike[] ? Serial<F> : never;

type Named = Readonly<Record<string, LayerLike>>;
/** Layers in a row, whose parameters and state are objects. */
export type NamedSerial<L extends Named> = Layer<
  { readonly [K in keyof L]: LayerParams<L[K]> },
  { readonly [K in keyof L]: LayerState<L[K]> }
>;

/** What a member of a model is called in errors. */
type Place = (key: string) => string;
const byNumber: Place = (key) => `[${key}]`;
const byName: Place = (key) => `.${key}`;

/** The i-th key, made of a key for all. */
const keyOf = (key: NDArray | null | undefined, i: number): NDArray | null => (key ? random.foldIn(key, i) : null);

/**
 * Layers one after the other. Lists of layers inside of lists are as if their members were written there, which makes
 * `serial` associative, parameters included; parts that shall stay together get names.
 *
 * @param layers the layers, or one object of them; functions such as `nn.relu` are layers without parameters.
 * @returns a layer whose parameters and state are a list, or an object with the given names.
 * @example
 * const model = nn.serial({ hidden: nn.dense(4), act: nn.tanh, out: nn.dense(1) });
 * const { params } = model.init(random.key(0), [8, 2]);
 * params.hidden.kernel.shape // [2, 4]
 */
export function serial<const L extends readonly LayerLike[]>(...layers: L): Listed<L>;
export function serial<const L extends Named>(layers: L): NamedSerial<L>;
export function serial(...given: readonly (LayerLike | Named)[]): AnyLayer {
  const [first] = given;
  if (given.length === 1 && isNamed(first)) {
    const names = Object.keys(first);
    return inRow(Object.values(first), names, byName, (xs) => Object.fromEntries(names.map((n, i) => [n, xs[i]])));
  }
  const layers = (given as readonly LayerLike[]).flatMap((l) => (isSerial(l) ? l.layers : [l]));
  const row = inRow(layers, [...layers.keys()].map(String), byNumber, (xs) => xs);
  return { ...row, layers } as AnyLayer;
}
const isSerial = (l: LayerLike): l is Serial => typeof l === "object" && "layers" in l;
const isNamed = (l: LayerLike | Named | undefined): l is Named =>
  typeof l === "object" && typeof (l as Partial<AnyLayer>).apply !== "function";

type Tree = Readonly<Record<string, unknown>>;

function inRow(
  given: readonly LayerLike[],
  keys: readonly string[],
  place: Place,
  together: (parts: readonly unknown[]) => unknown,
): AnyLayer {
  const layers = given.map(asLayer);
  return {
    name: "serial",
    init(key: NDArray, input: Input): Initialized<unknown, unknown> {
      let x = inputOf("serial", input);
      const parts = layers.map((l, i) => {
        const part = within(place(keys[i]!), () => l.init(random.foldIn(key, i), x));
        x = part.output;
        return part;
      });
      return { params: together(parts.map((p): unknown => p.params)), state: together(parts.map((p): unknown => p.state)), output: x }; // prettier-ignore
    },
    apply(params: Tree, state: Tree, x: NDArray, options: ApplyOptions = {}) {
      const next: unknown[] = [];
      const y = layers.reduce((value, l, i) => {
        const k = keys[i]!;
        const own = { ...options, key: keyOf(options.key, i) };
        const [z, s] = within(place(k), () => l.apply(params[k], state[k], value, own));
        next.push(s);
        return z;
      }, x);
      return [y, together(next)];
    },
  };
}

/**
 * Lists of layers form a monoid: `serial` is associative, and the empty list computes nothing.
 *
 * @example
 * nn.serialMonoid.concat(nn.serial(nn.relu), nn.serial(nn.tanh)).layers.length // 2
 */
// A monoid is of one type; what is in the lists is known where they are used.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const serialMonoid: Monoid<Serial<any>> = {
  empty: /* @__PURE__ */ serial(),
  concat: (first, second) => serial(first, second),
};

/** How `parallel` puts together what its layers computed. */
export type Combination = "concatenate" | "sum" | ((outputs: readonly NDArray[]) => NDArray);
const combinations = {
  concatenate: (xs: readonly NDArray[]) => np.concatenate(xs, -1),
  sum: (xs: readonly NDArray[]) => xs.reduce((a, b) => np.add(a, b)),
};

/**
 * Gives its input to each of some layers, and puts together what they compute.
 *
 * @param layers a list, or an object.
 * @param combination along the last axis (default), the sum, or a function of the list of outputs.
 * @example
 * const both = nn.parallel([nn.dense(2), nn.dense(3)]);
 * both.init(random.key(0), [8, 4]).output.shape // [8, 5]
 */
export function parallel<const L extends readonly LayerLike[] | Named>(
  layers: L,
  combination: Combination = "concatenate",
): Layer<{ readonly [K in keyof L]: LayerParams<L[K]> }, { readonly [K in keyof L]: LayerState<L[K]> }> {
  const isList = Array.isArray(layers);
  const place = isList ? byNumber : byName;
  const members = Object.entries(layers).map(([name, l]) => [name, asLayer(l)] as const);
  const combine = typeof combination === "function" ? combination : combinations[combination];
  const together = (parts: readonly unknown[]): unknown =>
    isList ? parts : Object.fromEntries(members.map(([name], i) => [name, parts[i]]));
  return layer<Tree, Tree>({
    name: "parallel",
    init: (key, input) => {
      const parts = members.map(([name, l], i) => within(place(name), () => l.init(random.foldIn(key, i), input)));
      return {
        params: together(parts.map((p): unknown => p.params)) as Tree,
        state: together(parts.map((p): unknown => p.state)) as Tree,
      };
    },
    apply: (params, state, x, options = {}) => {
      const results = members.map(([name, l], i) =>
        within(place(name), () => l.apply(params[name], state[name], x, { ...options, key: keyOf(options.key, i) })),
      );
      return [combine(results.map(([y]) => y)), together(results.map(([, s]): unknown => s)) as Tree];
    },
  }) as AnyLayer;
}

/** Of the two ways through a residual layer; the second is null where the input itself is added. */
interface Parts<A, B> {
  readonly body: A;
  readonly shortcut: B | null;
}
/** The shortcut of a residual layer; absent, the input itself. */
export interface ResidualOptions<P, S> {
  /** Computes what is added, where the shapes differ. */
  readonly shortcut?: Layer<P, S> | undefined;
}

/**
 * x + f(x), or shortcut(x) + f(x) (He et al., 2015).
 *
 * @example
 * nn.residual(nn.dense(4)).init(random.key(0), [8, 4]).output.shape // [8, 4]
 */
export function residual<L extends LayerLike, P = unknown, S = unknown>(
  f: L,
  { shortcut }: ResidualOptions<P, S> = {},
): Layer<Parts<LayerParams<L>, P>, Parts<LayerState<L>, S>> {
  const body = asLayer(f) as Layer<LayerParams<L>, LayerState<L>>;
  return layer<Parts<LayerParams<L>, P>, Parts<LayerState<L>, S>>({
    name: "residual",
    init: (key, input) => {
      const main = within(".body", () => body.init(random.foldIn(key, 0), input));
      const short = shortcut && within(".shortcut", () => shortcut.init(random.foldIn(key, 1), input));
      requireSame(main.output, short?.output ?? input);
      return {
        params: { body: main.params, shortcut: short?.params ?? null },
        state: { body: main.state, shortcut: short?.state ?? null },
      };
    },
    apply: (params, state, x, options = {}) => {
      const own = (i: number): ApplyOptions => ({ ...options, key: keyOf(options.key, i) });
      const [y, next] = within(".body", () => body.apply(params.body, state.body, x, own(0)));
      if (!shortcut) return [np.add(x, y), { body: next, shortcut: null }];
      const [z, nextShort] = within(".shortcut", () =>
        shortcut.apply(params.shortcut as P, state.shortcut as S, x, own(1)),
      );
      return [np.add(z, y), { body: next, shortcut: nextShort }];
    },
  });
}

function requireSame(output: ShapeDtypeStruct, added: ShapeDtypeStruct): void {
  if (shapeText(output.shape) === shapeText(added.shape)) return;
  throw new ShapeError("ResidualShapes", {
    what: `nn.residual: the layer makes ${shapeText(output.shape)}, to which ${shapeText(added.shape)} is to be added`,
    why: "a shortcut adds what goes in to what comes out, so both have one shape",
    fix: "give the layer as many features as its input, or a shortcut: nn.residual(f, { shortcut: nn.dense(features) })",
  });
}
