/**
 * WGSL from loop nests: text only, no device. Block loops become the grid, thread loops the threads of a workgroup (one
 * size per nest), shared scratch workgroup memory, private scratch arrays of the function. Names are given in the order of
 * appearance, so equal nests give equal text whatever else was compiled before.
 *
 * A binding may hold several parameters: two that are the same memory must share one, because WebGPU forbids overlapping
 * bindings of which one is written. `bindingsOf` is the plan for parameters that are all distinct.
 */
import type { IndexVar } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import type { Buffer, Local } from "../../core/scalar.ts";
import { type For, type LoopNest, type Stmt, visitStmts } from "../../compiler/loopNest/loopNest.ts";
import { type Workgroups, makeGrid } from "./grid.ts";
import { hasBarrier, type Place, Reads, writtenBy } from "./sharing.ts";
import { Expressions, bare, type Names, newScope } from "./wgslExpressions.ts";
import { functionTexts, needsZero } from "./wgslFunctions.ts";

export type Access = "read" | "readwrite";

export interface WgslLimits {
  /** Workgroups along one dimension of a dispatch. */
  readonly maxBlocks: number;
  /** Whether comparisons of NaN must be decided on its bits. */
  readonly guardComparisons?: boolean;
}

/** Which binding each parameter is in, and how each binding is declared. */
export interface BindingPlan {
  readonly of: readonly number[];
  readonly access: readonly Access[];
}

export interface WgslKernel {
  readonly code: string;
  /** Threads of a workgroup. */
  readonly workgroupSize: number;
  readonly workgroups: Workgroups;
  readonly bindings: readonly Access[];
  /** Whether a uniform of 16 bytes of zeros is bound after them. */
  readonly needsZero: boolean;
}

export const bindingsOf = ({ params }: LoopNest): BindingPlan => ({
  of: params.map((_, i) => i),
  access: params.map((p) => (p.access === "read" ? "read" : "readwrite")),
});

export function emitWgsl(nest: LoopNest, limits: WgslLimits, plan: BindingPlan = bindingsOf(nest)): WgslKernel {
  return new Emitter(nest, limits, plan).kernel();
}

const word = (s: Buffer["storage"]): string =>
  s === "f32" || s === "i32" || s === "u32" ? s : unreachable(`WGSL cannot store ${s}`);
const indent = (lines: readonly string[]): string[] => lines.map((l) => `  ${l}`);

class Emitter {
  readonly #nest: LoopNest;
  readonly #limits: WgslLimits;
  readonly #plan: BindingPlan;
  readonly #expressions: Expressions;
  readonly #variables = new Map<IndexVar, string>();
  readonly #locals = new Map<Local, string>();
  readonly #buffers = new Map<Buffer, { name: string; type: string }>();
  readonly #threads: number;
  #readsThread = false;

  constructor(nest: LoopNest, limits: WgslLimits, plan: BindingPlan) {
    this.#nest = nest;
    this.#limits = limits;
    this.#plan = plan;
    const names: Names = {
      variable: (v) => this.#variable(v),
      local: (l) => named(this.#locals, l, "v"),
      buffer: (b) => this.#buffers.get(b) ?? unreachable(`${b.name} is no buffer of ${nest.name}`),
    };
    this.#expressions = new Expressions(names, new Reads(nest.body), limits.guardComparisons ?? false);
    nest.params.forEach(({ buffer }, i) => {
      const binding = plan.of[i]!;
      const first = nest.params[plan.of.indexOf(binding)]!.buffer;
      this.#buffers.set(buffer, { name: `p${binding}`, type: word(first.storage) });
    });
    nest.scratch.forEach((b, i) => this.#buffers.set(b, { name: `s${i}`, type: word(b.storage) }));
    this.#threads = threadsOf(nest);
  }

  kernel(): WgslKernel {
    const { blocks, body } = unblocked(this.#nest);
    const grid = makeGrid(blocks, (v) => this.#variable(v), this.#limits.maxBlocks);
    const main = [...this.#scratch("private"), ...grid.lines, ...this.#body(body, blocks)];
    const { functions, readsZero } = this.#expressions;
    const zero = readsZero || [...functions].some(needsZero);
    const inputs = [
      ...(blocks.length > 0 ? ["@builtin(workgroup_id) group: vec3<u32>"] : []),
      ...(this.#readsThread ? ["@builtin(local_invocation_index) thread: u32"] : []),
    ];
    const code = [
      ...this.#declarations(zero),
      ...this.#scratch("shared"),
      ...functionTexts(functions),
      `@compute @workgroup_size(${this.#threads})`,
      `fn main(${inputs.join(", ")}) {`,
      ...indent(main),
      "}",
      "",
    ].join("\n");
    const { access: bindings } = this.#plan;
    return { code, workgroupSize: this.#threads, workgroups: grid.workgroups, bindings, needsZero: zero };
  }

  #declarations(zero: boolean): string[] {
    const { of, access } = this.#plan;
    const lines = access.map((a, i) => {
      const type = word(this.#nest.params[of.indexOf(i)]!.buffer.storage);
      return `@group(0) @binding(${i}) var<storage, ${a === "read" ? "read" : "read_write"}> p${i}: array<${type}>;`;
    });
    if (zero) lines.push(`@group(0) @binding(${access.length}) var<uniform> zero: vec4<u32>;`);
    return lines;
  }

  #scratch(space: "shared" | "private"): string[] {
    const kind = space === "shared" ? "var<workgroup>" : "var";
    return this.#nest.scratch
      .filter((b) => b.space === space)
      .map((b) => `${kind} ${this.#buffers.get(b)!.name}: array<${word(b.storage)}, ${Math.max(1, b.length)}>;`);
  }

  #variable(v: IndexVar): string {
    return named(this.#variables, v, "i");
  }

  /** The lines of a statement list with a scope of its own. */
  #body(body: readonly Stmt[], variables: readonly IndexVar[] = []): string[] {
    const scope = newScope(variables);
    this.#expressions.scopes.push(scope);
    for (const s of body) this.#statement(s, scope.lines);
    this.#expressions.scopes.pop();
    return [...scope.head, ...scope.lines];
  }

  #statement(s: Stmt, lines: string[]): void {
    const expressions = this.#expressions;
    switch (s.kind) {
      case "for":
        return this.#loop(s, lines);
      case "let":
      case "declare": {
        const value = expressions.value(s.value);
        if (s.kind === "let") expressions.bind(s.local, s.value);
        else expressions.forget(new Set([s.local]));
        lines.push(`${s.kind === "let" ? "let" : "var"} ${named(this.#locals, s.local, "v")} = ${bare(value)};`);
        return;
      }
      case "assign": {
        const value = expressions.value(s.value);
        lines.push(`${named(this.#locals, s.local, "v")} = ${bare(value)};`);
        return expressions.forget(new Set([s.local]));
      }
      case "store":
        return this.#store(s, lines);
      case "if":
        lines.push(`if (${bare(expressions.value(s.condition))}) {`, ...indent(this.#body(s.body)), "}");
        return;
      case "barrier":
        lines.push("workgroupBarrier();");
        return expressions.forget(this.#visible());
    }
  }

  #store(s: Extract<Stmt, { kind: "store" }>, lines: string[]): void {
    const { name, type } = this.#buffers.get(s.buffer) ?? unreachable(`${s.buffer.name} is no buffer of the nest`);
    const index = bare(this.#expressions.index(s.index));
    const value = this.#expressions.value(s.value);
    lines.push(`${name}[${index}] = ${type === s.value.type ? bare(value) : `bitcast<${type}>(${value})`};`);
    this.#expressions.forget(new Set([s.buffer]));
  }

  #loop(s: For, lines: string[]): void {
    const name = this.#variable(s.variable);
    const { extent } = s.variable;
    if (extent === 0) return;
    // What a round writes, the next one reads.
    this.#forgetWrites(s.body);
    switch (s.loop) {
      case "block":
        return unreachable("a block loop is inside another statement");
      case "thread": {
        this.#readsThread ||= extent > 1;
        const first = extent > 1 ? `let ${name} = i32(thread);` : `let ${name} = 0i;`;
        lines.push("{", ...indent([first, ...this.#body(s.body, [s.variable])]), "}");
        break;
      }
      case "unroll":
        for (let i = 0; i < extent; i++)
          lines.push("{", ...indent([`let ${name} = ${i}i;`, ...this.#body(s.body, [s.variable])]), "}");
        break;
      case "serial":
      case "vector": {
        const rounds = s.count ? named(this.#locals, s.count, "v") : `${extent}i`;
        const head = `for (var ${name} = 0i; ${name} < ${rounds}; ${name}++) {`;
        lines.push(head, ...indent(this.#body(s.body, [s.variable])), "}");
      }
    }
    this.#forgetWrites(s.body);
  }

  #forgetWrites(body: readonly Stmt[]): void {
    const written = writtenBy(body);
    if (hasBarrier(body)) for (const place of this.#visible()) written.add(place);
    this.#expressions.forget(written);
  }
  /** Buffers that other threads may have written. */
  #visible(): Set<Place> {
    return new Set<Place>([...this.#buffers.keys()].filter((b) => b.space !== "private"));
  }
}

/** The variables of the block loops, and what they hold; locals bound between them come first. */
function unblocked(nest: LoopNest): { blocks: readonly IndexVar[]; body: readonly Stmt[] } {
  const blocks: IndexVar[] = [];
  const lets: Stmt[] = [];
  let { body } = nest;
  for (;;) {
    const [s, ...others] = body.filter((x) => x.kind !== "let");
    if (s?.kind !== "for" || s.loop !== "block" || others.length > 0) return { blocks, body: [...lets, ...body] };
    lets.push(...body.filter((x) => x !== s));
    blocks.push(s.variable);
    body = s.body;
  }
}

/** The extent of a nest's thread loops; 1 if it has none. */
function threadsOf(nest: LoopNest): number {
  let threads = 1;
  visitStmts(nest.body, (s) => {
    if (s.kind !== "for" || s.loop !== "thread" || s.variable.extent <= 1) return;
    if (threads !== 1 && threads !== s.variable.extent)
      unreachable(`thread loops of ${threads} and ${s.variable.extent} in one nest`);
    threads = s.variable.extent;
  });
  return threads;
}

function named<K>(names: Map<K, string>, key: K, prefix: string): string {
  let name = names.get(key);
  if (name === undefined) {
    name = `${prefix}${names.size}`;
    // The 33rd loop must not hide the type.
    names.set(key, (name = name === "i32" ? "i32_" : name));
  }
  return name;
}
