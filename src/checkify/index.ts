/** `checkify`: run-time errors in functional programs. */
export { check, checkError, debugCheck } from "./check.ts";
export {
  type CheckifyOptions,
  ErrorCategory,
  allChecks,
  automaticChecks,
  checkify,
  divChecks,
  floatChecks,
  indexChecks,
  nanChecks,
  userChecks,
} from "./checkify.ts";
export { ErrorValue as Error, JaxRuntimeError, initError } from "./error.ts";
