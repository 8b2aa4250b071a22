/** `cotangent.optim.contrib`: optimizers that are not everybody's, under the names of `optax.contrib`. */
export {
  MuonDimensionNumbers,
  type MuonOptions,
  type MuonState,
  type NewtonSchulzCoefficients,
  type Preconditioning,
  type ScaleByMuonOptions,
  type WeightDimensionNumbers,
  muon,
  scaleByMuon,
} from "./muon.ts";
export { type ReduceOnPlateauOptions, type ReduceOnPlateauState, reduceOnPlateau } from "./reduceOnPlateau.ts";
export { type SamArgs, type SamOptions, type SamState, normalize, sam } from "./sam.ts";
