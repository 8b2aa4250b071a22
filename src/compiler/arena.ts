/** A planned run of memory: first fit among gaps, by address. Sizes and offsets are multiples of the alignment. */
export class Arena {
  readonly #alignment: number;
  /** Free gaps below the end, by offset. */
  #gaps: { offset: number; bytes: number }[] = [];
  #end = 0;
  /** Bytes ever in use at once, gaps included. */
  bytes = 0;
  /** Bytes in use, and their maximum: what a perfect plan would need. */
  live = 0;
  peakLive = 0;

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  #rounded = (bytes: number): number => Math.ceil(Math.max(1, bytes) / this.#alignment) * this.#alignment;

  allocate(bytes: number): number {
    const size = this.#rounded(bytes);
    this.live += size;
    this.peakLive = Math.max(this.peakLive, this.live);
    // The tightest gap keeps large ones for large arrays.
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
    this.live -= size;
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
}
