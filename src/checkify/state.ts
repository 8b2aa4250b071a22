/**
 * The state of a checked program, `[failed, code, …payload]` (see `core/checks.ts`), and how two states become one. The
 * first failure wins: joining keeps the earlier state's code and values where it has failed.
 */
import { type Aval, avalKey } from "../core/aval.ts";
import type { CheckSite, CheckTypes } from "../core/checks.ts";
import type { NDArray } from "../core/ndarray.ts";
import { scalarLiteral } from "../core/operands.ts";
import { zerosLike } from "../core/structural.ts";
import { add } from "../lax/arithmetic.ts";
import { bitwiseOr } from "../lax/bitwise.ts";
import { selectArrays } from "../lax/compare.ts";

export interface CheckState {
  readonly types: CheckTypes;
  readonly arrays: readonly NDArray[];
}

export const noTypes: CheckTypes = { sites: [], groups: [] };

/** The state in which nothing has failed. */
export const cleanState = ({ groups }: CheckTypes): NDArray[] => [
  scalarLiteral(false, "bool"),
  scalarLiteral(0, "int32"),
  ...groups.flat().map(zerosLike),
];

/** How many arrays a state has; programs without checks have none. */
export const stateLength = ({ sites, groups }: CheckTypes): number =>
  sites.length === 0 ? 0 : 2 + groups.flat().length;

const groupKey = (avals: readonly Aval[]): string => avals.map(avalKey).join();

/** The types of several states together, with the place of each one's groups and the number of its first site. */
export interface JoinedTypes {
  readonly types: CheckTypes;
  readonly parts: readonly { readonly firstSite: number; readonly groups: readonly number[] }[];
}

export function joinTypes(list: readonly CheckTypes[]): JoinedTypes {
  const sites: CheckSite[] = [];
  const groups: (readonly Aval[])[] = [];
  const places = new Map<string, number>();
  const parts = list.map((t) => {
    const firstSite = sites.length;
    const mine = t.groups.map((avals) => {
      const key = groupKey(avals);
      let place = places.get(key);
      if (place === undefined) {
        places.set(key, (place = groups.length));
        groups.push(avals);
      }
      return place;
    });
    for (const s of t.sites) sites.push({ ...s, group: mine[s.group]! });
    return { firstSite, groups: mine };
  });
  return { types: { sites, groups }, parts };
}

/** The arrays of each group of a payload. */
function grouped({ groups }: CheckTypes, payload: readonly NDArray[]): (readonly NDArray[])[] {
  let next = 0;
  return groups.map((avals) => payload.slice(next, (next += avals.length)));
}

/** The state of part `i`, with the types of all; groups that it has not are zeros. */
export function widen({ types, parts }: JoinedTypes, i: number, state: CheckState): NDArray[] {
  if (state.arrays.length === 0) return cleanState(types);
  const [failed, code, ...payload] = state.arrays;
  const { firstSite, groups } = parts[i]!;
  const values = grouped(state.types, payload);
  return [
    failed!,
    shifted(code!, firstSite),
    ...types.groups.flatMap((avals, k) => (groups.includes(k) ? values[groups.indexOf(k)]! : avals.map(zerosLike))),
  ];
}

const shifted = (code: NDArray, by: number): NDArray => (by === 0 ? code : add(code, scalarLiteral(by, "int32")));

/** The state after both, `a` first. */
export function joinStates(a: CheckState, b: CheckState): CheckState {
  if (a.arrays.length === 0) return b;
  if (b.arrays.length === 0) return a;
  const { types, parts } = joinTypes([a.types, b.types]);
  const [inA, inB] = [parts[0]!.groups, parts[1]!.groups];
  const [failedA, codeA, ...payloadA] = a.arrays;
  const [failedB, codeB, ...payloadB] = b.arrays;
  const [valuesA, valuesB] = [grouped(a.types, payloadA), grouped(b.types, payloadB)];
  const payload = types.groups.flatMap((_, k) => {
    const [x, y] = [valuesA[inA.indexOf(k)], valuesB[inB.indexOf(k)]];
    return x && y ? keepFirst(failedA!, x, y) : (x ?? y)!;
  });
  const code = selectArrays(failedA!, codeA!, shifted(codeB!, parts[1]!.firstSite));
  return { types, arrays: [bitwiseOr(failedA!, failedB!), code, ...payload] };
}

const keepFirst = (failed: NDArray, before: readonly NDArray[], after: readonly NDArray[]): NDArray[] =>
  before.map((x, i) => (x === after[i] ? x : selectArrays(failed, x, after[i]!)));

/** The state of two runs of the same program, the earlier one first. */
export const keepEarlier = (before: readonly NDArray[], after: readonly NDArray[]): NDArray[] => [
  bitwiseOr(before[0]!, after[0]!),
  ...keepFirst(before[0]!, before.slice(1), after.slice(1)),
];
