/**
 * What TypeScript infers through transforms. Never run; `types.test.ts` compiles it, and so does `npm run typecheck`.
 * A line below `@ts-expect-error` must be an error.
 */
import { pipe } from "fp-ts/lib/function.js";
import { expectTypeOf } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import type { Arrays, BadLeaf } from "../../src/core/types.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { customJvp } from "../../src/transforms/customJvp.ts";
import { customVjp } from "../../src/transforms/customVjp.ts";
import { hessian, jacfwd, jacrev, jvp } from "../../src/transforms/forward.ts";
import { grad, linearize, valueAndGrad, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";

interface Layer {
  readonly w: NDArray;
  readonly b?: NDArray;
}
interface Params {
  readonly layers: readonly [Layer, Layer];
  readonly scale: number;
  readonly table: Map<string, NDArray>;
  readonly none: null;
}
declare const params: Params;
declare const x: NDArray;
declare const loss: (p: Params, x: NDArray, training: boolean) => NDArray;

export const gradients = (): void => {
  // grad(f) has the type of f's first argument, with arrays for leaves.
  const g = grad(loss);
  expectTypeOf(g).parameters.toEqualTypeOf<[p: Params, x: NDArray, training: boolean]>();
  const out = g(params, x, true);
  expectTypeOf(out.layers[0].w).toEqualTypeOf<NDArray>();
  expectTypeOf(out.layers[1].b).toEqualTypeOf<NDArray | undefined>();
  expectTypeOf(out.scale).toEqualTypeOf<NDArray>();
  expectTypeOf(out.table).toEqualTypeOf<Map<string, NDArray>>();
  expectTypeOf(out.none).toEqualTypeOf<null>();
  expectTypeOf(grad((a: NDArray) => a)(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad((a: number) => lax.mul(x, a))(3)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad((a: NDArray[]) => a[0]!)([x])).toEqualTypeOf<NDArray[]>();

  // argnums choose the argument; a tuple gives a tuple.
  expectTypeOf(grad(loss, { argnums: 1 })(params, x, true)).toEqualTypeOf<NDArray>();
  const [gx, gp] = grad(loss, { argnums: [1, 0] })(params, x, true);
  expectTypeOf(gx).toEqualTypeOf<NDArray>();
  expectTypeOf(gp.layers[0].w).toEqualTypeOf<NDArray>();

  // Arguments after the first may be anything.
  expectTypeOf(grad((a: NDArray, mode: "train" | "test") => (mode === "train" ? a : x)))
    .parameter(1)
    .toEqualTypeOf<"train" | "test">();

  // @ts-expect-error an argument is missing
  g(params, x);
  // @ts-expect-error the result is not a scalar array
  grad((a: NDArray) => ({ a }));
  // @ts-expect-error a misspelt option
  grad(loss, { argnum: 1 });
};

interface Recursive {
  readonly value: NDArray;
  readonly children: readonly Recursive[];
  readonly parent?: Recursive | null;
}
class Model {
  readonly w: NDArray;
  readonly name: string;
  constructor(w: NDArray, name: string) {
    this.w = w;
    this.name = name;
  }
  apply(v: NDArray): NDArray {
    return lax.mul(this.w, v);
  }
}
type Bag = Record<string, NDArray | readonly NDArray[]>;

export const moreTrees = (): void => {
  expectTypeOf(grad((p: Recursive) => p.value)({ value: x, children: [] }).children[0]!.value).toEqualTypeOf<NDArray>();
  expectTypeOf(grad((m: Model) => m.apply(x))(new Model(x, "m")).w).toEqualTypeOf<NDArray>();
  expectTypeOf(grad((b: Bag) => b["w"] as NDArray)({ w: x })["w"]).toEqualTypeOf<
    NDArray | readonly NDArray[] | undefined
  >();
  expectTypeOf(grad((p: [NDArray, { b: NDArray }?]) => p[0])([x])).toEqualTypeOf<[NDArray, { b: NDArray }?]>();
  expectTypeOf(grad((a: NDArray | number) => lax.mul(x, a))(1)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad((a: Float32Array) => lax.mul(x, a as never))(new Float32Array(1))).toEqualTypeOf<NDArray>();

  // Only what is differentiated has to be a tree of arrays.
  const byMode = (mode: string, v: NDArray): NDArray => (mode ? v : x);
  expectTypeOf(grad(byMode, { argnums: 1 })("m", x)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad(byMode, { argnums: [1] })("m", x)).toEqualTypeOf<[NDArray]>();
  // @ts-expect-error the first argument is a string
  grad(byMode);
  // @ts-expect-error among those asked for is a string
  grad(byMode, { argnums: [0, 1] });
  const later: number[] = [0];
  expectTypeOf(grad((a: NDArray, b: NDArray) => lax.mul(a, b), { argnums: later })(x, x)).toEqualTypeOf<NDArray[]>();
};

export const badLeaves = (): void => {
  // @ts-expect-error a string is not a leaf
  grad((p: { w: NDArray; name: string }) => p.w);
  // @ts-expect-error nor is a Date deep inside
  grad((p: { a: { b: readonly [NDArray, Date] } }) => p.a.b[0]);
  // @ts-expect-error nor a set
  grad((p: Set<NDArray>) => [...p][0]!);
  // @ts-expect-error nor a promise
  valueAndGrad((p: { later: Promise<NDArray>; w: NDArray }) => p.w);
  // @ts-expect-error nor a string in a Map
  grad((p: Map<string, string>) => (p.size, x));
  // @ts-expect-error vjp checks every argument
  vjp((a: NDArray, s: string) => (s ? a : x), x, "s");
  expectTypeOf<BadLeaf<{ w: NDArray; name: string }>>().toEqualTypeOf<string>();
  expectTypeOf<BadLeaf<Params>>().toBeNever();
  // Unions, optional fields, any and unknown pass.
  expectTypeOf<BadLeaf<{ a?: NDArray | null | number; b: unknown }>>().toBeNever();
};

export const values = (): void => {
  const [value, gradient] = valueAndGrad(loss)(params, x, true);
  expectTypeOf(value).toEqualTypeOf<NDArray>();
  expectTypeOf(gradient.table).toEqualTypeOf<Map<string, NDArray>>();

  const withAux = (p: { w: NDArray }) => [p.w, { seen: x, note: "text" }] as const;
  const [[v, aux], g] = valueAndGrad(withAux, { hasAux: true })({ w: x });
  expectTypeOf(v).toEqualTypeOf<NDArray>();
  expectTypeOf(aux.seen).toEqualTypeOf<NDArray>();
  expectTypeOf(aux.note).toEqualTypeOf<"text">();
  expectTypeOf(g).toEqualTypeOf<{ w: NDArray }>();
  const [h, again] = grad(withAux, { hasAux: true })({ w: x });
  expectTypeOf(h.w).toEqualTypeOf<NDArray>();
  expectTypeOf(again.note).toEqualTypeOf<"text">();
  expectTypeOf(grad((a: NDArray) => [a, 3], { hasAux: true, argnums: [0] })(x)).toEqualTypeOf<[[NDArray], number]>();
  // @ts-expect-error a pair asks for hasAux
  grad(withAux);
  // @ts-expect-error a misspelt option beside a known one
  grad(withAux, { hasAux: true, argnum: 1 });
  // @ts-expect-error hasAux asks for a pair
  grad((p: { w: NDArray }) => p.w, { hasAux: true });
};

export const pairs = (): void => {
  const f = (a: NDArray, p: { w: NDArray }) => ({ y: lax.mul(a, p.w), list: [a] as const });
  const [y, pull] = vjp(f, x, { w: x });
  expectTypeOf(y.y).toEqualTypeOf<NDArray>();
  expectTypeOf(y.list[0]).toEqualTypeOf<NDArray>();
  const [ca, cp] = pull({ y: x, list: [x] });
  expectTypeOf(ca).toEqualTypeOf<NDArray>();
  expectTypeOf(cp.w).toEqualTypeOf<NDArray>();
  const [z, dz] = jvp(f, [x, { w: x }], [x, { w: x }]);
  expectTypeOf(z.y).toEqualTypeOf<NDArray>();
  expectTypeOf(dz.y).toEqualTypeOf<NDArray>();
  const [, push] = linearize(f, x, { w: x });
  expectTypeOf(push(x, { w: x }).y).toEqualTypeOf<NDArray>();
  // @ts-expect-error a tangent is missing
  push(x);
  expectTypeOf(jacfwd((a: NDArray) => a)(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(jacrev((p: { w: NDArray }) => p.w)({ w: x }).w).toEqualTypeOf<NDArray>();
  expectTypeOf(hessian((a: NDArray) => a)(x)).toEqualTypeOf<NDArray>();
};

export const functions = (): void => {
  // jit, vmap, checkpoint and the custom rules keep parameters and give arrays.
  const f = (p: { w: NDArray }, n: number) => ({ y: lax.mul(p.w, n), parts: [p.w, p.w] as const });
  for (const g of [jit(f), vmap(f), checkpoint(f)]) {
    expectTypeOf(g).parameters.toEqualTypeOf<[p: { w: NDArray }, n: number]>();
    expectTypeOf(g({ w: x }, 2).y).toEqualTypeOf<NDArray>();
    expectTypeOf(g({ w: x }, 2).parts[1]).toEqualTypeOf<NDArray>();
    // @ts-expect-error the wrong argument
    g({ v: x }, 2);
  }
  expectTypeOf(jit((a: NDArray) => a).cacheSize()).toEqualTypeOf<number>();
  expectTypeOf(jit(() => 1)()).toEqualTypeOf<NDArray>();
  expectTypeOf(vmap(grad((a: NDArray) => a))(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(customJvp((a: NDArray, s: string) => (s ? a : x)))
    .parameter(1)
    .toEqualTypeOf<string>();
  expectTypeOf(customVjp((a: NDArray) => ({ a }))(x).a).toEqualTypeOf<NDArray>();
  // @ts-expect-error an unknown option
  jit(f, { staticArgnum: 1 });
  // @ts-expect-error axes are numbers
  vmap(f, { inAxes: "0" });

  // Transforms compose in pipes.
  const step = pipe(loss, grad, jit);
  expectTypeOf(step).parameters.toEqualTypeOf<[p: Params, x: NDArray, training: boolean]>();
  expectTypeOf(step(params, x, true).layers[0].w).toEqualTypeOf<NDArray>();
  const perExample = jit(vmap(grad(loss), { inAxes: [null, 0, null] }));
  expectTypeOf(perExample(params, x, true).scale).toEqualTypeOf<NDArray>();
  expectTypeOf(pipe((a: NDArray) => lax.sin(a), jit, vmap)(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(pipe(loss, valueAndGrad, jit)(params, x, true)[0]).toEqualTypeOf<NDArray>();
};

export const loops = (): void => {
  const [c, ys] = lax.scan(
    (s: { n: NDArray }, v: NDArray) => [{ n: lax.add(s.n, v) }, [v, { s: s.n }] as const],
    { n: 0 },
    x,
  );
  expectTypeOf(c.n).toEqualTypeOf<NDArray>();
  expectTypeOf(ys[1].s).toEqualTypeOf<NDArray>();
  expectTypeOf(lax.foriLoop(0, 3, (i, v: NDArray) => lax.add(v, i), 0)).toEqualTypeOf<NDArray>();
  expectTypeOf(lax.whileLoop((p: { v: NDArray }) => lax.lt(p.v, 3), (p) => ({ v: lax.add(p.v, 1) }), { v: x }).v).toEqualTypeOf<NDArray>(); // prettier-ignore
  expectTypeOf(lax.cond(true, (a: NDArray, b: { w: NDArray }) => [a, b.w], (a, b) => [b.w, a], x, { w: x })).toEqualTypeOf<NDArray[]>(); // prettier-ignore
  expectTypeOf(lax.map((v: NDArray) => ({ v }), x).v).toEqualTypeOf<NDArray>();
  expectTypeOf<Arrays<[number, { a?: boolean }]>>().toEqualTypeOf<[NDArray, { a?: NDArray }]>();
};
