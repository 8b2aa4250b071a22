/**
 * explain names the stage that is wrong: every stage is broken on purpose, by a wrapper around its function, and found; and
 * nothing is found where nothing is broken.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type NDArray, ConcretizationError, debug, grad, init, jit, lax, nn, numpy as np } from "../../src/index.ts";
import type { FusedKernel } from "../../src/compiler/fusedKernel.ts";
import type { Lowered } from "../../src/compiler/lower.ts";
import type { LoopNest, Stmt } from "../../src/compiler/loopNest/loopNest.ts";
import type { StageName } from "../../src/compiler/explain.ts";
import type { Jaxpr } from "../../src/core/jaxpr.ts";
import { type Expr, f32, plus } from "../../src/core/scalar.ts";
import { cosP } from "../../src/lax/elementary.ts";
import type * as Simplify from "../../src/compiler/simplify.ts";
import type * as Lower from "../../src/compiler/lower.ts";
import type * as Schedule from "../../src/compiler/schedule/schedule.ts";
import type * as ArenaModule from "../../src/compiler/arena.ts";
import type * as Codegen from "../../src/backends/wasm/codegen.ts";
import { holds } from "../properties.ts";
import { fromHost } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";
import { bothModes, programs, run } from "../support/programs.ts";
import { arrays } from "../sweep/generator.ts";

/** The stage that is broken, and the kernels that are, by a part of their name. */
const fault = vi.hoisted(() => ({ stage: "", kernel: "" }));
afterEach(() => {
  fault.stage = fault.kernel = "";
});
const isBroken = (stage: StageName, name: string): boolean => fault.stage === stage && name.includes(fault.kernel);

vi.mock("../../src/compiler/simplify.ts", async (original) => {
  const real = await original<typeof Simplify>();
  const cosines = (jaxpr: Jaxpr): Jaxpr => ({
    ...jaxpr,
    eqns: jaxpr.eqns.map((e) => (e.primitive.name === "sin" ? { ...e, primitive: cosP } : e)),
  });
  return {
    ...real,
    simplify: (...args: Parameters<typeof real.simplify>) => {
      const simplified = real.simplify(...args);
      return fault.stage === "simplified" ? { ...simplified, jaxpr: cosines(simplified.jaxpr) } : simplified;
    },
  };
});
vi.mock("../../src/compiler/lower.ts", async (original) => {
  const real = await original<typeof Lower>();
  return {
    ...real,
    lowerGroup: (...args: Parameters<typeof real.lowerGroup>): Lowered<FusedKernel> => {
      const lowered = real.lowerGroup(...args);
      const { kernel } = lowered;
      if (!isBroken("fusion", kernel.name)) return lowered;
      return { ...lowered, kernel: { ...kernel, stores: kernel.stores.map((s) => ({ ...s, value: more(s.value) })) } };
    },
  };
});
vi.mock("../../src/compiler/schedule/schedule.ts", async (original) => {
  const real = await original<typeof Schedule>();
  return {
    schedule: (...args: Parameters<typeof real.schedule>): LoopNest => {
      const nest = real.schedule(...args);
      return isBroken("loops", nest.name) ? wrongNest(nest) : nest;
    },
  };
});
vi.mock("../../src/compiler/arena.ts", async (original) => {
  const real = await original<typeof ArenaModule>();
  class Overlapping extends real.Arena {
    #shares = false;
    override allocate(bytes: number): number {
      const offset = super.allocate(bytes);
      return this.#shares ? 0 : offset;
    }
    override release(offset: number, bytes: number): void {
      super.release(offset, bytes);
      this.#shares = fault.stage === "buffers";
    }
  }
  return { Arena: Overlapping };
});
vi.mock("../../src/backends/wasm/codegen.ts", async (original) => {
  const real = await original<typeof Codegen>();
  return {
    ...real,
    emitModule: (nests: readonly LoopNest[], features: Parameters<typeof real.emitModule>[1]) =>
      real.emitModule(
        nests.map((n) => (isBroken("code", n.name) ? wrongNest(n) : n)),
        features,
      ),
  };
});

const more = (e: Expr): Expr => (e.type === "f32" ? plus(e, f32(0.25)) : e);
/** What a nest stores in its parameters is too much. */
function wrongNest(nest: LoopNest): LoopNest {
  const params = new Set(nest.params.map((p) => p.buffer));
  const wrong = (s: Stmt): Stmt => {
    if (s.kind === "for" || s.kind === "if") return { ...s, body: s.body.map(wrong) };
    return s.kind === "store" && params.has(s.buffer) ? { ...s, value: more(s.value) } : s;
  };
  return { ...nest, body: nest.body.map(wrong) };
}

const x = fromHost({
  shape: [6, 10],
  dtype: "float32",
  data: Float32Array.from({ length: 60 }, (_, i) => (i % 7) - 3),
});
/** Two kernels, a product and rows, and a temporary between them. */
const network = (v: NDArray): NDArray => nn.softmax(np.matmul(np.sin(v), v.T));
/** Rounds whose body has kernels of its own. */
const loop = (v: NDArray): NDArray =>
  lax.foriLoop(0, 3, (_: NDArray, c: NDArray) => np.sin(np.matmul(c, v)).div(np.sum(np.abs(c))), np.ones([4, 6]));
/** Temporaries that are alive together, when others have given back their memory. */
const branches = (v: NDArray): NDArray => {
  const scaled = np.matmul(v, v.T).div(100);
  const square = np.matmul(scaled, scaled);
  const fourth = np.matmul(square, square);
  const eighth = np.matmul(fourth, fourth);
  return np.matmul(np.matmul(eighth, scaled), fourth);
};

describe("a stage that is broken on purpose is found", () => {
  test("simplification", async () => {
    fault.stage = "simplified";
    const found = await debug.explain(network, x);
    expect(found.firstWrong).toBe("simplified");
    expect(found.stages.map((s) => s.difference !== null)).toEqual([true, false, false, false, false]);
  });
  test("kernels as they are fused, by name and line", async () => {
    Object.assign(fault, { stage: "fusion", kernel: "reduce_max" });
    const found = await debug.explain(network, x);
    expect(found.firstWrong).toBe("fusion");
    const { path, sources, found: value, wanted } = found.stages[1]!.difference!;
    expect(path).toMatch(/^network\/reduce_max/);
    expect(sources.join()).toContain("explain.test.ts");
    expect(value - wanted).toBeCloseTo(0.25, 5);
  });
  test("schedules", async () => {
    Object.assign(fault, { stage: "loops", kernel: "reduce_max" });
    const found = await debug.explain(network, x);
    expect(found.firstWrong).toBe("loops");
    expect(found.stages[2]!.difference!.path).toMatch(/^network\/reduce_max/);
    expect(String(found)).toMatch(/^on wasm, the stage "loops" changes the value\nsimplified agrees\n/);
  });
  test("schedules inside of loops", async () => {
    Object.assign(fault, { stage: "loops", kernel: "sin" });
    const found = await debug.explain(loop, x.T.reshape(10, 6).slice([0, 6]));
    expect(found.firstWrong).toBe("loops");
    expect(found.stages[2]!.difference!.path).toMatch(/^loop\/scan\/body\/.*sin/);
  });
  test("the plan of memory", async () => {
    fault.stage = "buffers";
    expect((await debug.explain(branches, x)).firstWrong).toBe("buffers");
  });
  test("code, by kernel", async () => {
    Object.assign(fault, { stage: "code", kernel: "reduce_max" });
    const found = await debug.explain(network, x);
    expect(found.firstWrong).toBe("code");
    expect(found.stages[4]!.difference!.path).toMatch(/^network\/reduce_max/);
  });
});

describe("where nothing is broken", () => {
  test.each(Object.entries({ network, branches, "a gradient": grad((v: NDArray) => np.sum(network(v))) }))(
    "all stages of %s agree",
    async (_, f) => {
      expect((await debug.explain(f, x)).firstWrong).toBeNull();
    },
  );
  test("all stages of random programs agree", async () => {
    const inputs = fc
      .constantFrom<number[]>([], [3], [2, 2])
      .chain((shape) => arrays(shape, "float64", { min: -1, max: 1 }));
    const sample = [programs({ structured: [...bothModes, "while"], maxSteps: 5, depth: 2 }), inputs] as const;
    const found: unknown[] = [];
    holds(20, [...sample], (p, v) => void found.push([p, debug.explain((y: NDArray) => run(p, [y]), fromHost(v))]));
    for (const e of found as [unknown, ReturnType<typeof debug.explain>][]) expect((await e[1]).firstWrong).toBeNull();
  });
  test("on the GPU too", async () => {
    await init("webgpu");
    try {
      const found = await debug.explain(network, x);
      expect([found.device, found.firstWrong]).toEqual(["webgpu", null]);
    } finally {
      await init("wasm");
    }
  });
});

describe("what cannot be explained", () => {
  test("traced values", async () => {
    const explained: Promise<unknown>[] = [];
    jit((v: NDArray) => {
      explained.push(debug.explain(np.sin, v));
      return v;
    })(x);
    await expect(explained[0]).rejects.toThrow(ConcretizationError);
  });
  test("the reference device, which compiles nothing", async () => {
    await expect(onDevice("cpu", () => debug.explain(np.sin, x))).rejects.toThrow(/device cpu have no stages/);
  });
});
