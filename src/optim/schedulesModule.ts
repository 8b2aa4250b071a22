/** `cotangent.optim.schedules`: schedules, and what puts their values into states. */
export * from "./schedules.ts";
export { injectHyperparams, injectStatefulHyperparams } from "./inject.ts";
