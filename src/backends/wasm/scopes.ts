/**
 * The frame of one wasm function while its code is written: wasm locals, scopes, and the motion of code out of loops.
 *
 * A scope is a loop, one copy of an unrolled body, or the body of an if. A loop's scope collects code that runs right
 * before its first iteration; an unrolled loop has such code too, so that its copies share what they have in common.
 * A value's `Dependence` names the innermost scope it depends on: the value may be computed before any loop inside that
 * scope. Locals set before a loop are new ones, because the loop's body may write those it has used already.
 */
import type { Local, Buffer } from "../../core/scalar.ts";
import { Code, type ValueType, v128Type } from "./encoder.ts";

/** What a loop's body does, found beforehand. */
export interface Effects {
  readonly assigned: ReadonlySet<Local>;
  readonly stored: ReadonlySet<Buffer>;
}

export interface Scope extends Effects {
  /** `copies`: an unrolled loop; `copy`: one of its bodies. */
  readonly kind: "loop" | "copies" | "copy" | "if";
  /** Runs once, right before the loop; made when there is some. */
  before: Code | null;
  /** The local that holds the number of a loop's first round, if that is not 0. */
  start: number | undefined;
  /** Locals that each iteration of a loop advances. */
  readonly steps: { readonly local: number; readonly by: number }[];
  /** Locals that hold a known value, by what it is: scalars and, apart from them, vectors. */
  scalars: Map<unknown, number> | null;
  vectors: Map<unknown, number> | null;
  readonly owned: { readonly local: number; readonly type: ValueType }[];
}

export interface Dependence {
  /** The innermost scope that the value needs; 0 is the function. */
  readonly depth: number;
  /** The innermost unrolled copy that it is for: another copy has another value under the same name. */
  readonly copy: number;
  /** Whether a statement may change it: then a value computed in place is not kept. */
  readonly changes: boolean;
  /** Whether the lanes of the current vector loop differ in it. */
  readonly varies: boolean;
}
export const dependence = (depth: number, copy = 0, changes = false, varies = false): Dependence => ({
  depth,
  copy,
  changes,
  varies,
});
export const independent = dependence(0);
/** The same, of a value that is not kept. */
export const changing = ({ depth, copy, varies }: Dependence): Dependence => dependence(depth, copy, true, varies);
export function joined(a: Dependence, b: Dependence): Dependence {
  if (a === b || b === independent) return a;
  if (a === independent) return b;
  const depth = Math.max(a.depth, b.depth);
  return dependence(depth, Math.max(a.copy, b.copy), a.changes || b.changes, a.varies || b.varies);
}

const none: Effects = { assigned: new Set(), stored: new Set() };

export abstract class Scopes {
  code = new Code();
  readonly scopes: Scope[] = [];
  /** The innermost scope visible where code goes at the moment: an outer one while code is moved out. */
  top = -1;
  readonly types: ValueType[] = [];
  readonly #params: number;
  readonly #free = new Map<ValueType, number[]>();
  #changing: (readonly [Map<unknown, number>, unknown])[] = [];
  /** Locals of the current run of statements, and what they hold. */
  #temporaries: { readonly local: number; readonly type: ValueType }[] = [];
  protected memo = new Map<unknown, number>();
  protected vectorMemo = new Map<unknown, number>();

  constructor(params: number) {
    this.#params = params;
    this.open("copy");
  }

  // -------------------------------------------------------------- wasm locals

  /** A local that nothing has used. */
  newLocal(type: ValueType): number {
    return this.#params + this.types.push(type) - 1;
  }
  #reuse(type: ValueType): number {
    return this.#free.get(type)?.pop() ?? this.newLocal(type);
  }
  #release(locals: readonly { readonly local: number; readonly type: ValueType }[]): void {
    for (const { local, type } of locals) {
      const free = this.#free.get(type);
      if (free) free.push(local);
      else this.#free.set(type, [local]);
    }
  }
  /** A local for the rest of the current scope. Before a loop it must be a new one: the body has used others. */
  scopedLocal(type: ValueType): number {
    const local = this.top === this.scopes.length - 1 ? this.#reuse(type) : this.newLocal(type);
    this.scopes[this.top]!.owned.push({ local, type });
    return local;
  }
  /** A local for the rest of the current run of statements. */
  temporary(type: ValueType): number {
    const local = this.#reuse(type);
    this.#temporaries.push({ local, type });
    return local;
  }
  /** Keeps a local that holds a value; one that statements may change only until the next statement. */
  protected remember(memo: Map<unknown, number>, key: unknown, local: number, changes: boolean): void {
    memo.set(key, local);
    if (changes) this.#changing.push([memo, key]);
  }
  protected endStatement(): void {
    for (const [memo, key] of this.#changing) memo.delete(key);
    this.#changing = [];
  }
  protected endRun(): void {
    this.#release(this.#temporaries);
    this.#temporaries = [];
    if (this.memo.size > 0) this.memo = new Map();
    if (this.vectorMemo.size > 0) this.vectorMemo = new Map();
  }

  // -------------------------------------------------------------- scopes

  open(kind: Scope["kind"], { assigned, stored }: Effects = none): number {
    const scope: Scope = {
      kind,
      assigned,
      stored,
      before: null,
      start: undefined,
      steps: [],
      scalars: null,
      vectors: null,
      owned: [],
    };
    this.top = this.scopes.push(scope) - 1;
    return this.top;
  }
  close(): Scope {
    const scope = this.scopes.pop()!;
    this.top = this.scopes.length - 1;
    this.#release(scope.owned);
    return scope;
  }
  /** The innermost loop whose body changes what `changed` looks for. */
  protected changedIn(changed: (e: Effects) => boolean): number {
    for (let i = this.top; i > 0; i--) if (changed(this.scopes[i]!)) return i;
    return 0;
  }
  /** The innermost enclosing if: loads and divisions behind it stay behind it. */
  protected guard(): number {
    for (let i = this.top; i > 0; i--) if (this.scopes[i]!.kind === "if") return i;
    return 0;
  }

  // -------------------------------------------------------------- code motion

  /** The outermost loop before which a value can be computed to the benefit of the current place, or 0. */
  target({ depth, copy }: Dependence): number {
    for (let i = depth + 1; i <= this.top; i++) {
      const { kind } = this.scopes[i]!;
      if (kind === "loop" || (kind === "copies" && i > copy)) return i;
    }
    return 0;
  }

  /** Writes code that runs before a loop. */
  before(loop: number, write: () => void): void {
    const { code, top, memo, vectorMemo } = this;
    this.code = this.scopes[loop]!.before ??= new Code();
    this.top = loop - 1;
    this.memo = new Map();
    this.vectorMemo = new Map();
    write();
    this.code = code;
    this.top = top;
    this.memo = memo;
    this.vectorMemo = vectorMemo;
  }

  /** The local that holds a value here, if one does. */
  known(key: unknown, type: ValueType): number | undefined {
    const vector = type === v128Type;
    for (let i = this.top; i >= 0; i--) {
      const scope = this.scopes[i]!;
      const local = (vector ? scope.vectors : scope.scalars)?.get(key);
      if (local !== undefined) return local;
    }
    return undefined;
  }
  /** Notes that a local holds a value, within a scope. */
  note(depth: number, key: unknown, type: ValueType, local: number): void {
    const scope = this.scopes[depth]!;
    if (type === v128Type) (scope.vectors ??= new Map()).set(key, local);
    else (scope.scalars ??= new Map()).set(key, local);
  }

  /** A local that holds what `write` pushes, computed before the loop. */
  hoisted(key: unknown, loop: number, { copy }: Dependence, type: ValueType, write: () => void): number {
    const known = this.known(key, type);
    if (known !== undefined) return known;
    const local = this.newLocal(type);
    this.scopes[loop]!.owned.push({ local, type });
    this.before(loop, () => {
      write();
      this.code.set(local);
    });
    this.note(Math.max(loop, copy), key, type, local);
    return local;
  }

  /** Pushes what `write` pushes: computed as far out as can be, and shared by the rest of the scope. */
  share(key: unknown, at: Dependence, type: ValueType, write: () => void): void {
    const known = this.known(key, type);
    if (known !== undefined) {
      this.code.get(known);
      return;
    }
    const loop = this.target(at);
    if (loop > 0) {
      this.code.get(this.hoisted(key, loop, at, type, write));
      return;
    }
    write();
    if (at.changes) return;
    const local = this.scopedLocal(type);
    this.code.tee(local);
    this.note(Math.max(this.top, at.copy), key, type, local);
  }
}
