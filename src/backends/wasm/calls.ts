/**
 * The bodies of call loops as functions. What differs between bodies that do the same becomes an argument: the address of
 * what they access, as far as the body's own variables do not move it, and the values of variables and locals from outside.
 */
import {
  type Index,
  type IndexAtom,
  type IndexValue,
  type IndexVar,
  addConstant,
  splitTerms,
  visitAtoms,
  zeroIndex,
} from "../../core/indexing.ts";
import { type Buffer, type Expr, type Local, constant, load, newBuffer } from "../../core/scalar.ts";
import { type For, type LoopNest, type Stmt, visitExprsOf, visitStmts } from "../../compiler/loopNest/loopNest.ts";
import { printNest } from "../../compiler/loopNest/printNest.ts";
import { Rewriter, rewriteStmts } from "../../compiler/loopNest/rewrite.ts";

/** An address that a call passes: that of an element of a buffer. */
export interface Pointer {
  readonly buffer: Buffer;
  readonly index: Index;
}
/** A function, with what it takes besides the addresses of the nest's parameters. */
export interface Outlined {
  readonly nest: LoopNest;
  readonly variables: readonly IndexVar[];
  readonly locals: readonly Local[];
  /** Numbers of the run-time values in indices: the nest's text does not tell their range, on which code depends. */
  readonly values: readonly number[];
}
export interface Call {
  readonly outlined: Outlined;
  /** One for each parameter of the nest. */
  readonly pointers: readonly Pointer[];
}

/** Makes a function of a call loop; `own` are the buffers that only call loops access. */
export function outline(loop: For, own: ReadonlySet<Buffer>): Call {
  const found = survey(loop.body);
  // What is stored and read at several places keeps one base, so that the accesses are seen to meet.
  const stored = new Set<Buffer>();
  const bases = new Map<Buffer, string>();
  const several = new Set<Buffer>();
  const scratch = new Set<Buffer>();
  const parts = new Map<Index, Parts>();
  for (const { buffer, index, reads } of found.accesses) {
    if (own.has(buffer)) {
      scratch.add(buffer);
      continue;
    }
    if (!reads) stored.add(buffer);
    const split = splitIndex(index, found);
    const { key } = split.base;
    parts.set(index, split);
    if ((bases.get(buffer) ?? key) !== key) several.add(buffer);
    bases.set(buffer, key);
  }

  const parameters = new Map<string, { readonly pointer: Pointer; length: number }>();
  const partsOf = (buffer: Buffer, index: Index): Parts =>
    stored.has(buffer) && several.has(buffer) ? { base: zeroIndex, rest: index } : parts.get(index)!;
  const keyOfPointer = (buffer: Buffer, base: Index): string => `${buffer.id}:${base.key}`;
  for (const { buffer, index } of found.accesses) {
    if (own.has(buffer)) continue;
    const { base, rest } = partsOf(buffer, index);
    const key = keyOfPointer(buffer, base);
    const known = parameters.get(key);
    if (known) known.length = Math.max(known.length, rest.max + 1);
    else parameters.set(key, { pointer: { buffer, index: base }, length: Math.max(1, rest.max + 1) });
  }
  const buffers = new Map<string, Buffer>();
  for (const [key, { pointer, length }] of parameters)
    buffers.set(key, newBuffer(pointer.buffer.name, pointer.buffer.storage, length));

  const rewriter: Rewriter = new Rewriter({
    expr: (e) => {
      if (e.kind !== "load" || own.has(e.buffer)) return null;
      const { base, rest } = partsOf(e.buffer, e.index);
      return load(buffers.get(keyOfPointer(e.buffer, base))!, rewriter.index(rest));
    },
  });
  const toPointer = (s: Stmt): readonly Stmt[] | null => {
    if (s.kind !== "store" || own.has(s.buffer)) return null;
    const { base, rest } = partsOf(s.buffer, s.index);
    const buffer = buffers.get(keyOfPointer(s.buffer, base))!;
    return [{ kind: "store", buffer, index: rewriter.index(rest), value: rewriter.expr(s.value) }];
  };
  const passed = [...parameters.values()].map((p) => p.pointer);
  const nest: LoopNest = {
    name: "call",
    params: passed.map(({ buffer, index }) => ({
      buffer: buffers.get(keyOfPointer(buffer, index))!,
      access: stored.has(buffer) ? "readwrite" : "read",
    })),
    scratch: [...scratch],
    body: rewriteStmts(loop.body, rewriter, toPointer),
  };
  const { variables, locals, read, values } = survey(nest.body);
  const outlined = {
    nest,
    variables: [...read.variables].filter((v) => !variables.has(v)),
    locals: [...read.locals].filter((l) => !locals.has(l)),
    values: [...values],
  };
  return { outlined, pointers: passed };
}

/** Equal for functions that do the same with their arguments. */
export function keyOf({ nest, variables, locals, values }: Outlined): string {
  const bindings = locals.map((local): Stmt => {
    const kind = local.mutable ? "declare" : "let";
    return { kind, local, value: constant(local.type, 0) };
  });
  // Around the body what it takes is bound, so that it has names in the order of the arguments.
  const body = variables.reduceRight<readonly Stmt[]>(
    (inner, variable) => [{ kind: "for", loop: "serial", variable, body: inner }],
    [...bindings, ...nest.body],
  );
  return [printNest({ ...nest, body }), ...values].join("\n");
}

interface Access {
  readonly buffer: Buffer;
  readonly index: Index;
  readonly reads: boolean;
}
interface Bindings {
  readonly variables: Set<IndexVar>;
  readonly locals: Set<Local>;
}
/** What a body binds, what it reads, and the values in its indices. */
interface Survey extends Bindings {
  readonly read: Bindings;
  readonly values: Set<number>;
  readonly accesses: Access[];
}
function survey(body: readonly Stmt[]): Survey {
  const read: Bindings = { variables: new Set(), locals: new Set() };
  const out: Survey = { variables: new Set(), locals: new Set(), read, values: new Set(), accesses: [] };
  const atom = (a: IndexVar | IndexValue): void => {
    if (a.kind === "var") read.variables.add(a);
    else out.values.add(a.expr.id);
  };
  visitStmts(body, (s) => {
    if (s.kind === "for") out.variables.add(s.variable);
    if (s.kind === "for" && s.count) read.locals.add(s.count);
    if (s.kind === "let" || s.kind === "declare") out.locals.add(s.local);
    if (s.kind === "store") {
      out.accesses.push({ buffer: s.buffer, index: s.index, reads: false });
      visitAtoms(s.index, atom);
    }
    const seen = new Set<Expr>();
    visitExprsOf(s, (e) => {
      if (seen.has(e)) return false;
      seen.add(e);
      if (e.kind === "local") read.locals.add(e.local);
      if (e.kind === "load") out.accesses.push({ buffer: e.buffer, index: e.index, reads: true });
      if (e.kind === "load" || e.kind === "index") visitAtoms(e.index, atom);
      return true;
    });
  });
  return out;
}

/** An index in two parts: the one that is known outside of a body, 0 if it may be negative, for addresses are not. */
interface Parts {
  readonly base: Index;
  readonly rest: Index;
}
function splitIndex(x: Index, bound: Bindings): Parts {
  const { picked, others } = splitTerms(x, ({ atom }) => isOutside(atom, bound));
  if (picked.min >= 0) return { base: picked, rest: others };
  const terms = addConstant(picked, -picked.constant);
  return terms.min >= 0 ? { base: terms, rest: addConstant(others, picked.constant) } : { base: zeroIndex, rest: x };
}
const isOutside = (a: IndexAtom, bound: Bindings): boolean => {
  switch (a.kind) {
    case "var":
      return !bound.variables.has(a);
    case "value":
      return a.expr.kind === "local" && !bound.locals.has(a.expr.local);
    default:
      return a.of.terms.every((t) => isOutside(t.atom, bound));
  }
};
