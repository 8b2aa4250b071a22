/** Random nests: expressions that share parts, over values read before and after stores. COTANGENT_SEED repeats a run. */
import { expect, test } from "vitest";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest, Stmt } from "../../src/compiler/loopNest/loopNest.ts";
import { verifyNest } from "../../src/compiler/loopNest/verifyNest.ts";
import { type Index, add, addConstant, floorDiv, modulo, scale } from "../../src/core/indexing.ts";
import * as S from "../../src/core/scalar.ts";
import type { Expr, ScalarType } from "../../src/core/scalar.ts";
import { loop, store } from "../support/nests.ts";
import { runNest, testLimits } from "../support/webgpu.ts";

const seed = Number(process.env.COTANGENT_SEED ?? 20261121);
const NESTS = Number(process.env.COTANGENT_NESTS ?? 40);
const THREADS = 48;

/** Numbers in [0, n), by a multiplicative congruence. */
function generator(start: number): (n: number) => number {
  let state = (start % 2147483646) + 1;
  return (n) => {
    state = (state * 48271) % 2147483647;
    return Math.floor((state / 2147483647) * n);
  };
}

function randomNest(random: (n: number) => number): LoopNest {
  const pick = <T>(xs: readonly T[]): T => xs[random(xs.length)]!;
  const f = S.newBuffer("f", "f32", THREADS);
  const i = S.newBuffer("i", "i32", THREADS);
  const u = S.newBuffer("u", "u32", THREADS);
  const outs = (["f32", "i32", "u32"] as const).map((type) => S.newBuffer(`out_${type}`, type, THREADS * 2));
  const scratch = S.newBuffer("scratch", "i32", 4, "private");
  const [thread, round] = [loop("thread", THREADS), loop(pick(["serial", "unroll"] as const), 1 + random(3))];
  const local = S.newLocal("m", "i32", true);

  /** Expressions so far, by type; new ones take their operands from them. */
  const pool: Record<"f32" | "i32" | "u32" | "bool", Expr[]> = {
    f32: [S.load(f, thread.at), S.f32(pick([0, -0, 1, -2.5, 1e9, NaN, Infinity]))],
    i32: [S.load(i, thread.at), S.i32(random(100) - 50), S.ofIndex(thread.at)],
    u32: [S.load(u, thread.at), S.u32(random(1000))],
    bool: [S.compare("lt", S.load(i, thread.at), S.i32(3))],
  };
  type Word = keyof typeof pool;
  const some = (t: Word): Expr => pick(pool[t]);
  const index = (): Index => {
    const value = S.indexOf(S.binary("and", some("i32"), S.i32(31)), 0, 31);
    const x = add(
      scale(thread.at, 1 + random(3)),
      addConstant(scale(pick([thread.at, value]), pick([-1, 1, 5])), random(9)),
    );
    return modulo(pick([x, floorDiv(x, 1 + random(7)), modulo(x, 2 + random(30))]), THREADS);
  };
  const grow = (): void => {
    const t = pick(["f32", "i32", "u32", "bool"] as const);
    const from = pick(["f32", "i32", "u32"] as const);
    const whole = pick(["i32", "u32"] as const);
    const makers: (() => Expr)[] = {
      f32: [
        () => S.binary(pick(["min", "max", "rem"] as const), some("f32"), some("f32")),
        () => S.unary(pick(["neg", "abs", "floor", "ceil", "trunc", "round"] as const), some("f32")),
        () => S.convert(some(pick(["i32", "u32", "bool"] as const)), "f32"),
        () => S.load(f, index()),
      ],
      i32: [
        () =>
          S.binary(pick(["add", "sub", "mul", "min", "max", "and", "or", "xor"] as const), some("i32"), some("i32")),
        () => S.binary(pick(["shl", "shr"] as const), some("i32"), S.binary("and", some("i32"), S.i32(31))),
        () => S.unary(pick(["neg", "abs", "not", "clz", "popcount"] as const), some("i32")),
        () => S.quotient(pick(["div", "rem"] as const), some("i32"), some("i32")),
        () => S.convert(some(pick(["f32", "u32", "bool"] as const)), "i32"),
        () => S.load(i, index()),
        () => S.load(scratch, modulo(index(), 4)),
        () => S.readLocal(local),
        () => S.ofIndex(index()),
      ],
      u32: [
        () =>
          S.binary(pick(["add", "sub", "mul", "min", "max", "and", "or", "xor"] as const), some("u32"), some("u32")),
        () => S.quotient(pick(["div", "rem"] as const), some("u32"), some("u32")),
        () => S.bitcast(some("i32"), "u32"),
        () => S.convert(some(pick(["f32", "i32", "bool"] as const)), "u32"),
      ],
      bool: [
        () => {
          const a = some(from);
          return S.compare(pick(["eq", "ne", "lt", "le", "gt", "ge"] as const), a, some(from));
        },
        () => S.binary(pick(["and", "or", "xor"] as const), some("bool"), some("bool")),
        () => S.not(some("bool")),
        () => S.isNaNExpr(some("f32")),
        () => S.convert(some(whole), "bool"),
      ],
    }[t];
    const e = random(6) === 0 ? S.select(some("bool"), some(t), some(t)) : pick(makers)();
    pool[t].push(e);
  };
  const growMany = (n: number): void => {
    for (let k = 0; k < n; k++) grow();
  };
  const outAt = (k: number, type: ScalarType): Stmt => {
    const t = type as "f32" | "i32" | "u32";
    const out = outs[["f32", "i32", "u32"].indexOf(t)]!;
    return store(out, add(scale(thread.at, 2), S.indexOf(S.i32(k), k, k)), some(t));
  };
  const first = [0, 1, 2, 3].map((k) => store(scratch, S.indexOf(S.i32(k), k, k), S.i32(k * 7)));
  growMany(25);
  const inLoop: Stmt[] = [
    store(scratch, modulo(index(), 4), some("i32")),
    { kind: "assign", local, value: S.plus(some("i32"), S.ofIndex(round.at)) },
    { kind: "if", condition: some("bool"), body: [store(scratch, modulo(index(), 4), some("i32")), outAt(0, "f32")] },
    outAt(1, "i32"),
  ];
  growMany(10);
  const after: Stmt[] = [
    { kind: "if", condition: some("bool"), body: [{ kind: "assign", local, value: some("i32") }, outAt(0, "i32")] },
    outAt(0, "u32"),
    outAt(1, "f32"),
    outAt(1, "u32"),
  ];
  return {
    name: "random",
    params: [
      ...[f, i, u].map((buffer) => ({ buffer, access: "read" as const })),
      ...outs.map((buffer) => ({ buffer, access: "write" as const })),
    ],
    scratch: [scratch],
    body: [thread.around(...first, { kind: "declare", local, value: S.i32(5) }, round.around(...inLoop), ...after)],
  };
}

test(`${NESTS} random nests from seed ${seed}`, async () => {
  for (let n = 0; n < NESTS; n++) {
    const random = generator(seed + n * 7919);
    const nest = randomNest(random);
    verifyNest(nest);
    const special = [NaN, Infinity, -Infinity, 0, -0, 1.5, -2.5, 3e9, -3e9, 0.25];
    const inputs = [
      Float32Array.from({ length: THREADS }, (_, k) => (k < special.length ? special[k]! : random(2000) / 8 - 100)),
      Int32Array.from({ length: THREADS }, (_, k) =>
        k === 0 ? -2147483648 : random(2) ? random(20) - 10 : random(2 ** 31),
      ),
      Uint32Array.from({ length: THREADS }, () => (random(2) ? random(20) : random(2 ** 31) * 2)),
    ];
    const fresh = () => [new Float32Array(THREADS * 2), new Int32Array(THREADS * 2), new Uint32Array(THREADS * 2)];
    const [want, got] = [fresh(), fresh()];
    evaluateNest(nest, [...inputs, ...want]);
    const { code } = await runNest(nest, [...inputs, ...got], testLimits);
    // toEqual tells -0 from 0 and takes NaNs for equal.
    expect(got, `nest ${n} of seed ${seed}\n${code}`).toEqual(want);
  }
});
