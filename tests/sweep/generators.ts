/** The files of generators, by name. Written out, so that bundlers and browsers find them; a test compares with the folder. */
import * as arithmetic from "./arithmetic.gen.ts";
import * as bessel from "./bessel.gen.ts";
import * as bitwise from "./bitwise.gen.ts";
import * as calls from "./calls.gen.ts";
import * as cast from "./cast.gen.ts";
import * as communication from "./communication.gen.ts";
import * as compare from "./compare.gen.ts";
import * as complex from "./complex.gen.ts";
import * as contract from "./contract.gen.ts";
import * as control from "./control.gen.ts";
import * as conv from "./conv.gen.ts";
import * as creation from "./creation.gen.ts";
import * as cumulative from "./cumulative.gen.ts";
import * as dynamicSlice from "./dynamicSlice.gen.ts";
import * as elementary from "./elementary.gen.ts";
import * as gather from "./gather.gen.ts";
import * as incomplete from "./incomplete.gen.ts";
import * as movement from "./movement.gen.ts";
import * as randomBits from "./randomBits.gen.ts";
import * as reduce from "./reduce.gen.ts";
import * as scatter from "./scatter.gen.ts";
import * as sort from "./sort.gen.ts";
import * as special from "./special.gen.ts";
import * as structural from "./structural.gen.ts";
import * as windows from "./windows.gen.ts";
import type { Generator } from "./generator.ts";

export const rooms: Readonly<Record<string, { readonly generators: readonly Generator[] }>> = {
  arithmetic,
  bessel,
  bitwise,
  calls,
  cast,
  communication,
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
