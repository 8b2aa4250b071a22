/** The arena: random arrays that come and go, against an account of every unit of memory. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Arena } from "../../src/compiler/arena.ts";
import { holds } from "../properties.ts";

/** An array comes, or the n-th of those that live goes. */
type Event = { readonly bytes: number } | { readonly goes: number };
const eventsOf = (bytes: fc.Arbitrary<number>, maxLength = 80): fc.Arbitrary<Event[]> =>
  fc.array(
    fc.oneof(
      { weight: 11, arbitrary: fc.record({ bytes }) },
      { weight: 9, arbitrary: fc.record({ goes: fc.nat(1000) }) },
    ),
    { maxLength, size: "max" },
  );
const sizes: Readonly<Record<string, fc.Arbitrary<number>>> = {
  "of any size": fc.nat(5000),
  "of few sizes": fc.constantFrom(4, 64, 4096, 16384),
  "of powers of 2": fc.nat(12).map((n) => 2 ** n),
};
const alignments = fc.constantFrom(64, 256);

interface Living {
  readonly offset: number;
  readonly bytes: number;
}
const unitsOf = (bytes: number, alignment: number): number => Math.max(1, Math.ceil(bytes / alignment));

/** Plays events; `owner` says which array each unit of memory belongs to. */
function play(events: readonly Event[], alignment: number) {
  const arena = new Arena(alignment);
  const living: Living[] = [];
  const owner: (Living | undefined)[] = [];
  let [peak, end, all] = [0, 0, 0];
  const units = ({ offset, bytes }: Living): [number, number] => [
    offset / alignment,
    offset / alignment + unitsOf(bytes, alignment),
  ];
  const freeRunFor = (n: number): boolean => {
    for (let from = 0, i = 0; i <= end; i++) {
      if (i < end && !owner[i]) continue;
      if (i - from >= n) return true;
      from = i + 1;
    }
    return false;
  };
  for (const e of events) {
    if ("bytes" in e) {
      const room = freeRunFor(unitsOf(e.bytes, alignment));
      const before = arena.bytes;
      const made: Living = { offset: arena.allocate(e.bytes), bytes: e.bytes };
      arena.step();
      expect(made.offset % alignment, "is aligned").toBe(0);
      const [from, to] = units(made);
      for (let i = from; i < to; i++) {
        if (owner[i]) expect.fail(`unit ${i} is taken`);
        owner[i] = made;
      }
      // Neighbouring gaps have merged: what fits a run of free memory is not put behind the end.
      if (room) expect(to, "fits a gap").toBeLessThanOrEqual(end);
      if (room) expect(arena.bytes).toBe(before);
      end = Math.max(end, to);
      living.push(made);
      all += to - from;
    } else if (living.length > 0) {
      const [gone] = living.splice(e.goes % living.length, 1);
      arena.release(gone!.offset, gone!.bytes);
      const [from, to] = units(gone!);
      owner.fill(undefined, from, to);
    }
    const live = living.reduce((n, l) => n + l.bytes, 0);
    peak = Math.max(peak, live);
    expect(arena.live).toBe(live);
  }
  expect(arena.peakLive, "the reported peak").toBe(peak);
  expect(arena.bytes, "the reported size").toBe(end * alignment);
  expect(arena.bytes).toBeLessThanOrEqual(all * alignment);
  expect(arena.bytes).toBeGreaterThanOrEqual(peak);
  return { arena, living };
}

describe("arrays that live at the same time", () => {
  test.each(Object.entries(sizes))("%s never overlap, are aligned, and fill gaps that merged", (_, bytes) =>
    holds(150, [eventsOf(bytes), alignments], (events, alignment) => void play(events, alignment)),
  );
  test("when all have gone, the whole run is one gap again", () =>
    holds(100, [eventsOf(sizes["of any size"]!), alignments, fc.nat(1000)], (events, alignment, order) => {
      const { arena, living } = play(events, alignment);
      while (living.length > 0) {
        const [gone] = living.splice(order % living.length, 1);
        arena.release(gone!.offset, gone!.bytes);
      }
      const { bytes } = arena;
      expect(arena.allocate(bytes)).toBe(0);
      expect(arena.bytes).toBe(Math.max(bytes, alignment));
    }));
});

describe("waste", () => {
  /** Size over peak, both in whole units. */
  const waste = (events: readonly Event[]): number => {
    const { arena } = play(events, 1);
    return arena.peakLive > 0 ? arena.bytes / arena.peakLive : 1;
  };
  test("there is none where all arrays are equally large", () =>
    holds(100, [fc.integer({ min: 1, max: 90 }).chain((n) => eventsOf(fc.constant(n)))], (events) => {
      expect(waste(events)).toBe(1);
    }));
  test("nor where the latest goes first", () =>
    holds(100, [eventsOf(sizes["of any size"]!.map((n) => n + 1))], (events) => {
      const stack = new Arena(1);
      const living: Living[] = [];
      for (const e of events) {
        if ("bytes" in e) living.push({ offset: stack.allocate(e.bytes), bytes: e.bytes });
        else {
          const top = living.pop();
          if (top) stack.release(top.offset, top.bytes);
        }
        stack.step();
      }
      expect(stack.bytes).toBe(stack.peakLive);
    }));
  test("of random sequences it is a tenth in the median, a quarter for the worst of twenty", () => {
    const found: number[] = [];
    const any = fc.integer({ min: 1, max: 64 });
    holds(300, [fc.oneof(eventsOf(any, 150), eventsOf(fc.constantFrom(1, 4, 16, 64), 150))], (events) => {
      if (events.length > 20) found.push(waste(events));
    });
    found.sort((a, b) => a - b);
    expect(found[found.length >> 1]).toBeLessThan(1.15);
    expect(found[Math.floor(found.length * 0.95)]).toBeLessThan(1.35);
  });
});
