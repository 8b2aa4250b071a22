/**
 * Loop nests to WebAssembly: one module, one exported function a nest. A function takes the addresses of the nest's
 * parameters in order, then the address of scratch memory, aligned to 16 bytes; a nest with tasks, then the first task to
 * run and the one to end before. Bodies of call loops are further functions, equal ones only once. Engines run new code slowly and optimise a function while others run: only the next call is fast,
 * so what takes long should be many calls.
 *
 * Block, thread and serial loops are loops; private buffers with known indices are wasm locals (`plan.ts`). A vector loop
 * runs groups of four lanes, then what is left over one by one; short bodies are repeated to spare loop overhead.
 */
import { type IndexVar, add, addConstant, indexVar, scale, varIndex, zeroIndex } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import { type Buffer, type Expr, type Local, loadedType, readLocal, storageBytes } from "../../core/scalar.ts";
import {
  type Assign,
  type For,
  type Let,
  type LoopNest,
  type Stmt,
  type Store,
  visitStmts,
} from "../../compiler/loopNest/loopNest.ts";
import { type Outlined, keyOf, outline } from "./calls.ts";
import {
  type Callee,
  Code,
  type FunctionBody,
  type ValueType,
  encodeModule,
  f64Type,
  i32Type,
  simd,
  v128Type,
} from "./encoder.ts";
import { inlineLets } from "./inlineLets.ts";
import { type LoopPlan, type NestPlan, planNest } from "./plan.ts";
import { type Run, runsOf } from "./run.ts";
import { independent } from "./scopes.ts";
import { selectOp, valueTypeOf } from "./operations.ts";
import { VectorCode } from "./vectorCode.ts";

export interface WasmFeatures {
  /** Whether `acc + a * b` may become one fused instruction where it accumulates. */
  readonly relaxedSimd: boolean;
  /** Whether the memory is one that threads share. */
  readonly sharedMemory?: boolean;
}
export interface WasmModule {
  readonly bytes: Uint8Array;
  /** Bytes of scratch memory that each function needs. */
  readonly scratchBytes: readonly number[];
  /** Functions of the module `math` that it imports, on f64. */
  readonly mathImports: readonly string[];
}

/** Compiles nests to one module that exports them as `k0`, `k1`, …; it imports `env.memory`. */
export function emitModule(nests: readonly LoopNest[], features: WasmFeatures): WasmModule {
  const module = new ModuleCode(features);
  const kernels = nests.map((nest) =>
    module.compile({ nest: inlineLets(nest), variables: [], locals: [], values: [] }, false),
  );
  return module.encode(kernels);
}

/** What the functions of a module have in common: imports, and the bodies of call loops. */
class ModuleCode {
  readonly features: WasmFeatures;
  readonly #imports = new Map<string, { index: number; operands: number }>();
  readonly #called = new Map<string, Called>();

  constructor(features: WasmFeatures) {
    this.features = features;
  }

  readonly importFunction = (name: string, operands: number): number => {
    let known = this.#imports.get(name);
    if (!known) this.#imports.set(name, (known = { index: this.#imports.size, operands }));
    return known.index;
  };

  compile(outlined: Outlined, isCalled: boolean): CompiledNest {
    return new NestCode(outlined, planNest(outlined.nest), this, isCalled).compile();
  }

  /** The function that does what a call loop's body does. */
  called(outlined: Outlined): Called {
    const key = keyOf(outlined);
    let known = this.#called.get(key);
    if (!known) this.#called.set(key, (known = { ...this.compile(outlined, true), callee: { number: 0 } }));
    return known;
  }

  encode(kernels: readonly CompiledNest[]): WasmModule {
    const imports = [...this.#imports].map(([name, { operands }]) => ({
      name,
      type: { params: new Array<ValueType>(operands).fill(f64Type), results: [f64Type] as const },
    }));
    const called = [...this.#called.values()];
    called.forEach(({ callee }, i) => (callee.number = imports.length + kernels.length + i));
    return {
      bytes: encodeModule(imports, [...kernels, ...called], kernels.length, this.features.sharedMemory ?? false),
      scratchBytes: kernels.map((f) => f.scratchBytes),
      mathImports: [...this.#imports.keys()],
    };
  }
}
interface Called extends CompiledNest {
  readonly callee: Callee;
}

const blockOp = 0x02;
const loopOp = 0x03;
const ifOp = 0x04;
const endOp = 0x0b;
const branchIf = 0x0d;
const less = 0x49;
const notLess = 0x4f;
const lessSigned = 0x48;
const greaterSigned = 0x4a;
const plus = 0x6a;
const minus = 0x6b;
const noResult = 0x40;

/** Nodes of a vector body that are worth repeating in one iteration, and the remaining elements worth a copy each. */
const repeatedNodes = 48;
const tailNodes = 96;
/** Bytes of a loop's code that are worth several copies, each with its own exit, and the copies. */
const repeatedBytes = 300;
const repeats = 4;

/** Which rounds of a loop run: so many, or those from a number to another, which wasm locals hold; or all. */
interface Range {
  readonly count?: Local;
  readonly start?: number;
  readonly end?: number;
}

interface CompiledNest extends FunctionBody {
  readonly scratchBytes: number;
}

/** One function. It takes addresses of the nest's parameters, the values of what it reads from outside, and scratch. */
class NestCode extends VectorCode {
  readonly #outlined: Outlined;
  readonly #module: ModuleCode;
  /** Whether it is the body of a call loop. */
  readonly #isCalled: boolean;
  protected readonly fusesProducts: boolean;
  /** The parameter with the address of scratch memory. */
  readonly #scratch: number;
  readonly #runs = new Map<readonly Stmt[], readonly Run[]>();
  #lanes = false;
  /** Loops written so far. */
  #loops = 0;
  #scratchBytes = 0;
  /** Scratch memory of the functions it calls, after its own. */
  #calledBytes = 0;

  constructor(outlined: Outlined, plan: NestPlan, module: ModuleCode, isCalled: boolean) {
    const { nest, variables, locals } = outlined;
    const scratch = nest.params.length + variables.length + locals.length;
    super(scratch + (nest.tasks ? 3 : 1), plan, module.importFunction);
    this.#outlined = outlined;
    this.#module = module;
    this.fusesProducts = module.features.relaxedSimd;
    this.#scratch = scratch;
    this.#isCalled = isCalled;
  }

  compile(): CompiledNest {
    const { nest, variables, locals } = this.#outlined;
    const { params, scratch, body } = nest;
    params.forEach(({ buffer }, i) => this.bases.set(buffer, { local: i, offset: 0, perThread: false }));
    variables.forEach((v, i) => this.define(v, { kind: "counter", local: params.length + i, scope: 0 }));
    const first = params.length + variables.length;
    locals.forEach((l, i) => this.locals.set(l, { wasm: first + i, vector: false, at: independent }));
    let threads = 1;
    visitStmts(body, (s) => {
      if (s.kind === "for" && s.loop === "thread") threads = s.variable.extent;
    });
    for (const b of scratch) if (!this.plan.ownByCalls.has(b)) this.#place(b, threads);
    if (nest.tasks) this.#tasks(body);
    else this.#body(body);
    const addresses = (n: number): ValueType[] => new Array<ValueType>(n).fill(i32Type);
    return {
      type: {
        params: [...addresses(first), ...locals.map((l) => valueTypeOf(l.type)), ...addresses(nest.tasks ? 3 : 1)],
        results: [],
      },
      locals: this.types,
      code: this.code,
      scratchBytes: this.#scratchBytes + this.#calledBytes,
    };
  }

  /** Gives a scratch buffer its registers or its memory. */
  #place(b: Buffer, threads: number): void {
    const kind = this.plan.registers.get(b);
    if (kind) {
      const type = kind === "scalars" ? valueTypeOf(loadedType(b.storage)) : v128Type;
      const number = kind === "vectors" ? Math.ceil(b.length / 4) : b.length;
      this.registers.set(b, { kind, locals: Array.from({ length: number }, () => this.newLocal(type)) });
      return;
    }
    const perThread = b.space === "private" && threads > 1;
    this.bases.set(b, { local: this.#scratch, offset: this.#scratchBytes, perThread });
    const bytes = b.length * storageBytes[b.storage] * (perThread ? threads : 1);
    this.#scratchBytes += Math.ceil(bytes / 16) * 16;
  }

  #body(body: readonly Stmt[]): void {
    // Copies of a body have the same runs.
    let runs = this.#runs.get(body);
    if (!runs) this.#runs.set(body, (runs = runsOf(body, this.plan.stored)));
    for (const run of runs) {
      this.run = run;
      this.startRun();
      const { stmts } = run;
      for (let i = 0; i < stmts.length; i++) {
        if (this.#lanes && this.storeNeighbours(stmts[i]!, stmts[i + 1])) i++;
        else this.#statement(stmts[i]!);
        this.endStatement();
      }
      this.endRun();
    }
  }

  #statement(s: Stmt): void {
    switch (s.kind) {
      case "for":
        return this.#for(s);
      case "let":
        return this.#let(s);
      case "declare":
      case "assign":
        return this.#assign(s);
      case "store":
        return this.#store(s);
      case "if":
        this.scalar(s.condition);
        this.code.op(ifOp).byte(noResult);
        this.open("if");
        this.#body(s.body);
        this.close();
        this.code.op(endOp);
        return;
      case "barrier":
        return;
    }
  }

  // -------------------------------------------------------------- locals and stores

  #let({ local, value }: Let): void {
    const at = this.dependence(value);
    const vector = at.varies;
    const type = vector ? v128Type : valueTypeOf(local.type);
    const loop = this.target(at);
    if (loop > 0 && !vector && !this.isLeaf(value)) {
      this.locals.set(local, { wasm: this.hoistedScalar(value, loop), vector, at });
      return;
    }
    if (vector) this.vector(value);
    else this.scalar(value);
    const wasm = this.scopedLocal(type);
    this.code.set(wasm);
    this.locals.set(local, { wasm, vector, at: { depth: this.top, copy: 0, changes: false, varies: vector } });
  }

  #assign({ kind, local, value }: Assign): void {
    if (kind === "declare") {
      const wasm = this.scopedLocal(this.#lanes ? v128Type : valueTypeOf(local.type));
      const at = { depth: this.top, copy: 0, changes: true, varies: this.#lanes };
      this.locals.set(local, { wasm, vector: this.#lanes, at });
    }
    const { wasm, vector } = this.locals.get(local) ?? unreachable(`local ${local.name} is not declared`);
    if (vector) this.#accumulated(value, (e) => e.kind === "local" && e.local === local);
    else this.scalar(value);
    this.code.set(wasm);
  }

  #store(s: Store): void {
    if (this.#lanes) {
      const place = s.index.key;
      const same = (e: Expr): boolean => e.kind === "load" && e.buffer === s.buffer && e.index.key === place;
      this.storeVector(s, () => this.#accumulated(s.value, same));
      return;
    }
    const resolved = this.resolve(s.index, -1);
    const registers = this.registers.get(s.buffer);
    if (registers) {
      this.writeRegister(registers, resolved.constant, s.value);
      return;
    }
    const offset = this.address(s.buffer, resolved);
    this.scalar(s.value);
    this.storeScalar(s.buffer, offset);
  }

  /** Pushes four lanes of a value; if it is the old one plus products, each in one instruction where the machine has it. */
  #accumulated(value: Expr, isOld: (e: Expr) => boolean): void {
    if (this.fusesProducts && this.#addsTo(value, isOld)) this.#addProducts(value, isOld);
    else this.vector(value);
  }
  /** Whether a value is the old one and what is added to it. */
  #addsTo(e: Expr, isOld: (e: Expr) => boolean): boolean {
    if (e.kind !== "binary" || e.op !== "add" || e.type !== "f32" || this.run.isShared(e)) return false;
    return isOld(e.x) || this.#addsTo(e.x, isOld);
  }
  #addProducts(value: Expr, isOld: (e: Expr) => boolean): void {
    if (isOld(value) || value.kind !== "binary") return this.vector(value);
    const { x, y } = value;
    const isProduct = y.kind === "binary" && y.op === "mul" && !this.run.isShared(y);
    if (isProduct) {
      this.vector(y.x);
      this.vector(y.y);
    }
    this.#addProducts(x, isOld);
    if (!isProduct) this.vector(y);
    this.code.op(simd(isProduct ? 0x105 : 0xe4));
  }

  // -------------------------------------------------------------- loops

  /** Loops over tasks, of which only those in the range of the call run, and what stands between them. */
  #tasks(body: readonly Stmt[]): void {
    const [from, to] = [this.#scratch + 1, this.#scratch + 2];
    let first = 0;
    for (const s of body) {
      if (s.kind !== "for") {
        this.#body([s]);
        continue;
      }
      const { extent } = s.variable;
      const range = { start: this.newLocal(i32Type), end: this.newLocal(i32Type) };
      this.#bound(from, first, range.start, 0, greaterSigned);
      this.#bound(to, first, range.end, extent, lessSigned);
      this.code.get(range.start).get(range.end).op(lessSigned).op(ifOp).byte(noResult);
      this.open("if");
      this.#loop(this.plan.loops.get(s)!, s.variable, () => this.#body(s.body), range);
      this.close();
      this.code.op(endOp);
      first += extent;
    }
  }
  /** Sets a local to a task's place in a loop, within its limit. */
  #bound(task: number, first: number, local: number, limit: number, isWithin: number): void {
    this.code.get(task).i32(first).op(minus).tee(local).i32(limit).get(local).i32(limit).op(isWithin).op(selectOp);
    this.code.set(local);
  }

  #for(s: For): void {
    const plan = this.plan.loops.get(s)!;
    const { variable: v, body } = s;
    if (v.extent === 0) return;
    const thread = this.thread;
    if (s.loop === "thread") this.thread = varIndex(v);
    if (s.loop === "call") this.#call(s);
    else if (plan.lanes) this.#lanesOf(s, plan);
    else if (plan.copies) this.#copies(plan, v, 0, v.extent, body);
    else this.#loop(plan, v, () => this.#body(body), s.count ? { count: s.count } : {});
    this.thread = thread;
  }

  #call(s: For): void {
    const { outlined, pointers } = outline(s, this.plan.ownByCalls);
    const { callee, scratchBytes } = this.#module.called(outlined);
    for (const { buffer, index } of pointers) {
      const offset = this.address(buffer, this.resolve(index, -1));
      if (offset !== 0) this.code.i32(offset).op(plus);
    }
    for (const v of outlined.variables) this.pushIndex(this.resolve(varIndex(v), -1));
    for (const local of outlined.locals) this.scalar(readLocal(local));
    this.code.get(this.#scratch);
    if (scratchBytes > 0) this.code.i32(this.#scratchBytes).op(plus);
    this.#calledBytes = Math.max(this.#calledBytes, scratchBytes);
    this.code.call(callee);
  }

  /** A loop whose variable is bound to a counter. */
  #loop(plan: LoopPlan, v: IndexVar, write: () => void, { count, start, end }: Range = {}): void {
    const outer = this.code;
    const depth = this.open("loop", plan);
    this.scopes[depth]!.start = start;
    const loops = ++this.#loops;
    const counter = this.newLocal(i32Type);
    this.scopes[depth]!.owned.push({ local: counter, type: i32Type });
    this.code = new Code();
    this.bind(v, { kind: "counter", local: counter, scope: depth }, write);
    const inner = this.code;
    const { before, steps } = this.close();
    this.code = outer;
    for (const { local, by } of steps) inner.get(local).i32(by).op(plus).set(local);
    inner.get(counter).i32(1).op(plus).tee(counter);
    if (count) inner.get(this.locals.get(count)!.wasm);
    else if (end === undefined) inner.i32(v.extent);
    else inner.get(end);
    if (before) outer.append(before);
    if (start === undefined) outer.i32(0).set(counter);
    else outer.get(start).set(counter);
    // Engines repeat the bodies of short loops themselves, but the less the fewer loops are around. Vectors are repeated
    // already.
    const short = this.#loops === loops && inner.length <= repeatedBytes && v.extent >= 2 * repeats;
    if (!this.#isCalled || !short || plan.lanes) {
      outer.op(loopOp).byte(noResult).append(inner).op(less).op(branchIf).unsigned(0).op(endOp);
      return;
    }
    outer.op(blockOp).byte(noResult).op(loopOp).byte(noResult);
    for (let i = 1; i < repeats; i++) outer.append(inner).op(notLess).op(branchIf).unsigned(1);
    outer.append(inner).op(less).op(branchIf).unsigned(0).op(endOp).op(endOp);
  }

  /** Copies of a body, before which stands what they share. */
  #inCopies(plan: LoopPlan, write: () => void): void {
    const outer = this.code;
    this.open("copies", plan);
    this.code = new Code();
    write();
    const inner = this.code;
    const { before } = this.close();
    if (before) outer.append(before);
    this.code = outer.append(inner);
  }
  #copies(plan: LoopPlan, v: IndexVar, from: number, to: number, body: readonly Stmt[]): void {
    this.#inCopies(plan, () => {
      for (let i = from; i < to; i++) {
        const scope = this.open("copy");
        this.bind(v, { kind: "constant", value: i, scope }, () => this.#body(body));
        this.close();
      }
    });
  }

  /** Four lanes of a vector loop's body; their index is a multiple of 4 plus the lane. */
  #group(v: IndexVar, first: ReturnType<typeof varIndex>, body: readonly Stmt[]): void {
    const scope = this.open("copy");
    this.#lanes = true;
    this.bind(this.lane, { kind: "lane", scope }, () =>
      this.bind(v, { kind: "sum", index: add(first, varIndex(this.lane)), scope }, () => this.#body(body)),
    );
    this.#lanes = false;
    this.close();
  }

  #lanesOf({ variable: v, body }: For, plan: LoopPlan): void {
    const groups = v.extent >> 2;
    const repeat = plan.size * 4 <= repeatedNodes ? 4 : plan.size * 2 <= repeatedNodes ? 2 : 1;
    const whole = Math.floor(groups / repeat);
    const rounds = plan.copies || whole === 1 ? 0 : whole;
    if (rounds > 0) {
      const round = indexVar("round", rounds);
      this.#loop(plan, round, () => {
        for (let i = 0; i < repeat; i++) this.#group(v, addConstant(scale(varIndex(round), 4 * repeat), 4 * i), body);
      });
    }
    if (rounds * repeat < groups)
      this.#inCopies(plan, () => {
        for (let g = rounds * repeat; g < groups; g++) this.#group(v, addConstant(zeroIndex, 4 * g), body);
      });
    const rest = v.extent & 3;
    if (rest === 0) return;
    if (plan.copies || plan.size * rest <= tailNodes) this.#copies(plan, v, 4 * groups, v.extent, body);
    else {
      const place = indexVar("rest", rest);
      this.#loop(plan, place, () => {
        const scope = this.open("copy");
        const index = addConstant(varIndex(place), 4 * groups);
        this.bind(v, { kind: "sum", index, scope }, () => this.#body(body));
        this.close();
      });
    }
  }
}
