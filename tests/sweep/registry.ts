/** Every primitive there is, and every generator. A primitive without a generator fails the sweep. */
import { constantP } from "../../src/core/constant.ts";
import { optimizationBarrierP } from "../../src/core/barrier.ts";
import * as structural from "../../src/core/structural.ts";
import * as arithmetic from "../../src/lax/arithmetic.ts";
import * as bessel from "../../src/lax/bessel.ts";
import * as bitwise from "../../src/lax/bitwise.ts";
import * as callback from "../../src/lax/callback.ts";
import * as cast from "../../src/lax/cast.ts";
import * as collectives from "../../src/lax/collectives.ts";
import * as compare from "../../src/lax/compare.ts";
import * as complex from "../../src/lax/complex.ts";
import * as contract from "../../src/lax/contract.ts";
import * as control from "../../src/lax/control/primitives.ts";
import * as conv from "../../src/lax/conv.ts";
import * as creation from "../../src/lax/creation.ts";
import * as cumulative from "../../src/lax/cumulative.ts";
import * as dynamicSlice from "../../src/lax/dynamicSlice.ts";
import * as elementary from "../../src/lax/elementary.ts";
import * as gather from "../../src/lax/gather.ts";
import * as incomplete from "../../src/lax/incomplete.ts";
import * as movement from "../../src/lax/movement.ts";
import * as randomBits from "../../src/lax/randomBits.ts";
import * as reduce from "../../src/lax/reduce.ts";
import * as scatter from "../../src/lax/scatter.ts";
import * as sort from "../../src/lax/sort.ts";
import * as special from "../../src/lax/special.ts";
import * as windows from "../../src/lax/windows.ts";
import { checkpointP, nameP } from "../../src/transforms/checkpoint.ts";
import { customJvpP } from "../../src/transforms/customJvp.ts";
import { customVjpP } from "../../src/transforms/customVjp.ts";
import { customVmapP } from "../../src/transforms/customVmap.ts";
import { jitP } from "../../src/transforms/jitPrimitive.ts";
import type { AnyPrimitive } from "./core.ts";
import { rooms } from "./generators.ts";
import type { Generator } from "./generator.ts";

/** The rooms that export `primitives`, by file. */
const families: Readonly<Record<string, { readonly primitives: readonly AnyPrimitive[] }>> = {
  arithmetic,
  bessel,
  bitwise,
  callback,
  cast,
  collectives,
  compare,
  complex,
  contract,
  control,
  conv,
  creation,
  cumulative,
  dynamicSlice,
  elementary,
  gather,
  incomplete,
  movement,
  randomBits,
  reduce,
  scatter,
  sort,
  special,
  structural,
  windows,
};

export const primitives: readonly AnyPrimitive[] = [
  ...Object.values(families).flatMap((f) => f.primitives),
  constantP,
  optimizationBarrierP,
  jitP,
  checkpointP,
  nameP,
  customJvpP,
  customVjpP,
  customVmapP,
];

export const familyNames: readonly string[] = Object.keys(families);

export const generators: readonly Generator[] = Object.values(rooms).flatMap((r) => r.generators);

export const titleOf = (g: Generator): string => `${g.primitive.name}${g.label ? ` (${g.label})` : ""}`;
