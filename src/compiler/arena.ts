/**
 * A planned run of memory: arrays get places in the order of the steps that make them, in the tightest gap that is large
 * enough (best fit), else at the end. Sizes and offsets are multiples of the alignment; gaps that touch are one.
 *
 * Nothing is wasted where all arrays are equally large, or where they go in the reverse order of their coming. Otherwise
 * gaps may stay between arrays that live: a tenth of the peak in the median of random sequences, a quarter in the worst of
 * twenty, less in programs, whose arrays come in few sizes. Sequences made for it can waste any multiple (Robson, "Worst
 * case fragmentation of first fit and best fit storage allocation strategies", 1977).
 */
export class Arena {
  readonly #alignment: number;
  /** Free gaps below the end, by offset. */
  #gaps: { offset: number; bytes: number }[] = [];
  #end = 0;
  /** Bytes ever in use at once, gaps included. */
  bytes = 0;
  /** Bytes of the arrays in use, without what alignment and gaps add. */
  live = 0;
  /** The most of them at a step: no plan for the same order of steps can need less. */
  peakLive = 0;

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  #rounded = (bytes: number): number => Math.ceil(Math.max(1, bytes) / this.#alignment) * this.#alignment;

  allocate(bytes: number): number {
    const size = this.#rounded(bytes);
    this.live += bytes;
    let best = -1;
    this.#gaps.forEach((g, i) => {
      if (g.bytes >= size && (best < 0 || g.bytes < this.#gaps[best]!.bytes)) best = i;
    });
    if (best >= 0) {
      const gap = this.#gaps[best]!;
      const { offset } = gap;
      if (gap.bytes === size) this.#gaps.splice(best, 1);
      else this.#gaps[best] = { offset: offset + size, bytes: gap.bytes - size };
      return offset;
    }
    // The last gap, if it reaches the end, grows.
    const tail = this.#gaps.at(-1);
    const offset = tail && tail.offset + tail.bytes === this.#end ? tail.offset : this.#end;
    if (offset !== this.#end) this.#gaps.pop();
    this.#end = offset + size;
    this.bytes = Math.max(this.bytes, this.#end);
    return offset;
  }

  release(offset: number, bytes: number): void {
    const size = this.#rounded(bytes);
    this.live -= bytes;
    this.#gaps.push({ offset, bytes: size });
    this.#gaps.sort((a, b) => a.offset - b.offset);
    const joined: { offset: number; bytes: number }[] = [];
    for (const g of this.#gaps) {
      const before = joined.at(-1);
      if (before && before.offset + before.bytes === g.offset) before.bytes += g.bytes;
      else joined.push({ ...g });
    }
    this.#gaps = joined;
  }

  /** A step runs with what is in use now, of which `spare` bytes are gaps in the arenas of sub-programs. */
  step(spare = 0): void {
    this.peakLive = Math.max(this.peakLive, this.live - spare);
  }
}
