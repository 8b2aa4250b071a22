/**
 * Grids: how the blocks of a nest become workgroups. A dispatch has three dimensions of at most 65,535 workgroups each on
 * most devices; a grid that is longer in one of them is numbered in a line, which is then folded.
 */
import type { IndexVar } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";

export type Workgroups = readonly [number, number, number];
export interface Grid {
  readonly workgroups: Workgroups;
  /** Statements that give each variable its value, and send surplus workgroups home. */
  readonly lines: readonly string[];
}

/** The last variable runs fastest. `group` is the workgroup's number in three dimensions. */
export function makeGrid(variables: readonly IndexVar[], name: (v: IndexVar) => string, maxBlocks: number): Grid {
  const extents = variables.map((v) => v.extent).reverse();
  if (extents.includes(0)) return { workgroups: [0, 1, 1], lines: variables.map((v) => `let ${name(v)} = 0i;`) };
  if (extents.length <= 3 && extents.every((n) => n <= maxBlocks)) {
    const [x = 1, y = 1, z = 1] = extents;
    const at = ["x", "y", "z"];
    const lines = [...variables].reverse().map((v, i) => `let ${name(v)} = i32(group.${at[i]!});`);
    return { workgroups: [x, y, z], lines: lines.reverse() };
  }
  return foldedGrid(variables, name, maxBlocks);
}

function foldedGrid(variables: readonly IndexVar[], name: (v: IndexVar) => string, maxBlocks: number): Grid {
  const total = variables.reduce((n, v) => n * v.extent, 1);
  const z = Math.ceil(total / maxBlocks ** 2);
  const y = Math.ceil(total / z / maxBlocks);
  const x = Math.ceil(total / (z * y));
  // The last, surplus workgroups too must have a number that fits 32 bits.
  if (x * y * z > 2 ** 32 || z > maxBlocks) unreachable(`a grid of ${total} blocks cannot be launched`);
  const lines = [
    `let block = group.x + ${x}u * (group.y + ${y}u * group.z);`,
    ...(x * y * z === total ? [] : [`if (block >= ${total}u) {`, "  return;", "}"]),
  ];
  let inner = 1;
  const values: string[] = [];
  for (const v of [...variables].reverse()) {
    const quotient = inner === 1 ? "block" : `block / ${inner}u`;
    inner *= v.extent;
    values.push(`let ${name(v)} = i32(${inner === total ? quotient : `(${quotient}) % ${v.extent}u`});`);
  }
  return { workgroups: [x, y, z], lines: [...lines, ...values.reverse()] };
}
