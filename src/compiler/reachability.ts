/**
 * Which steps depend on which, directly or through others: the transitive closure of a graph without cycles, kept while it
 * grows. Asking is one look at a bit; dependencies that are known already cost nothing more.
 */
export class Reachability {
  /** For every node the set of those it depends on, as bits. */
  readonly #below: Uint32Array[] = [];

  /** A new node that depends on others; its number. */
  add(on: Iterable<number>): number {
    const node = this.#below.length;
    this.#below.push(new Uint32Array((node >> 5) + 1));
    for (const n of on) this.#take(node, n);
    return node;
  }

  /** Whether a node is another, or depends on it. */
  has(from: number, to: number): boolean {
    return from === to || this.#holds(from, to);
  }

  /** Makes a node depend on another, and with it all that depend on it. */
  connect(from: number, to: number): void {
    if (this.has(from, to)) return;
    for (let n = 0; n < this.#below.length; n++) if (this.has(n, from)) this.#take(n, to);
  }

  /** Two nodes become one, which goes by the first number: neither depends on the other but directly. */
  merge(into: number, other: number): void {
    const affected: number[] = [];
    for (let n = 0; n < this.#below.length; n++) if (this.has(n, into) || this.has(n, other)) affected.push(n);
    for (const n of affected) {
      this.#take(n, into);
      this.#take(n, other);
    }
  }

  #holds(from: number, to: number): boolean {
    const bits = this.#below[from]!;
    return ((bits[to >> 5] ?? 0) & (1 << (to & 31))) !== 0;
  }

  /** Adds a node, and all that it depends on, to what another depends on. */
  #take(node: number, on: number): void {
    if (node === on) return;
    const more = this.#below[on]!;
    let bits = this.#below[node]!;
    const words = Math.max(more.length, (on >> 5) + 1);
    if (bits.length < words) {
      const grown = new Uint32Array(words);
      grown.set(bits);
      this.#below[node] = bits = grown;
    }
    for (let i = 0; i < more.length; i++) bits[i]! |= more[i]!;
    bits[on >> 5]! |= 1 << (on & 31);
  }
}
