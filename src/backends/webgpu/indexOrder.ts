/** An order of the terms of an index that depends on the nest alone. Their keys hold numbers that depend on what was made before. */
import type { IndexAtom, IndexVar, Term } from "../../core/indexing.ts";

const kinds: readonly IndexAtom["kind"][] = ["var", "div", "mod", "value"];
/** Terms in an order that depends on the nest alone; keys hold numbers that depend on what was made before. */
export function inOrder(terms: readonly Term[], name: (v: IndexVar) => string): readonly Term[] {
  if (terms.length < 2) return terms;
  const compareAll = (s: readonly Term[], t: readonly Term[]): number => {
    for (let i = 0; i < Math.min(s.length, t.length); i++) {
      const n = compare(s[i]!.atom, t[i]!.atom) || s[i]!.factor - t[i]!.factor;
      if (n !== 0) return n;
    }
    return s.length - t.length;
  };
  const compare = (a: IndexAtom, b: IndexAtom): number => {
    if (a.kind === "var" && b.kind === "var") return Number(name(a).slice(1)) - Number(name(b).slice(1));
    // Expressions are numbered as they are made.
    if (a.kind === "value" && b.kind === "value") return a.expr.id - b.expr.id;
    if ((a.kind === "div" && b.kind === "div") || (a.kind === "mod" && b.kind === "mod"))
      return (
        a.by - b.by || compareAll(inOrder(a.of.terms, name), inOrder(b.of.terms, name)) || a.of.constant - b.of.constant
      );
    return kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  };
  return [...terms].sort((s, t) => compare(s.atom, t.atom));
}
