import fc from "fast-check";
import { expect, it } from "vitest";
import { Reachability } from "../../src/compiler/reachability.ts";
import { holds } from "../properties.ts";

type Change = readonly ["add", number[]] | readonly ["connect", number, number] | readonly ["merge", number, number];
const number = fc.nat(60);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant("add" as const), fc.array(number, { maxLength: 3 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("connect" as const), number, number) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("merge" as const), number, number) },
);

/** The same by searching the graph. */
class Graph {
  readonly on: Set<number>[] = [];
  readonly #mergedInto: number[] = [];
  current = (n: number): number => (this.#mergedInto[n] === n ? n : this.current(this.#mergedInto[n]!));
  add(on: readonly number[]): void {
    this.#mergedInto.push(this.on.length);
    this.on.push(new Set(on));
  }
  reaches(from: number, to: number): boolean {
    const [start, end] = [this.current(from), this.current(to)];
    return start === end || [...this.on[start]!].some((n) => this.current(n) !== start && this.reaches(n, end));
  }
  merge(into: number, other: number): void {
    for (const n of this.on[other]!) this.on[into]!.add(n);
    this.#mergedInto[other] = into;
  }
}

it("agrees with a search, whatever is added, connected and merged", () =>
  holds(200, [fc.array(change, { minLength: 1, maxLength: 80 })], (changes) => {
    const [found, graph] = [new Reachability(), new Graph()];
    found.add([]);
    graph.add([]);
    const alive = (n: number): number => graph.current(n % graph.on.length);
    for (const [kind, x, y] of changes) {
      if (kind === "add") {
        const on = x.map(alive);
        expect(found.add(on)).toBe(graph.on.length);
        graph.add(on);
        continue;
      }
      const [a, b] = [alive(x), alive(y)];
      if (kind === "connect") {
        if (graph.reaches(b, a)) continue;
        found.connect(a, b);
        graph.on[a]!.add(b);
      } else {
        // Only what is independent, or depends on each other directly, becomes one.
        const through = (p: number, q: number): boolean =>
          [...graph.on[p]!].some((n) => graph.current(n) !== q && graph.current(n) !== p && graph.reaches(n, q));
        if (a === b || through(a, b) || through(b, a)) continue;
        found.merge(a, b);
        graph.merge(a, b);
      }
    }
    for (let i = 0; i < graph.on.length; i++)
      for (let j = 0; j < graph.on.length; j++) {
        const [a, b] = [graph.current(i), graph.current(j)];
        expect(found.has(a, b)).toBe(graph.reaches(a, b));
      }
  }));
