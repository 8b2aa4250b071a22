/**
 * `errors`: the classes of errors, under the names of `jax.errors` and under their own. JAX tells some mistakes apart by
 * class that are one class here and differ in their `code`; names of one class are then the same class.
 */
import {
  ConcretizationError,
  CotangentError,
  DeviceError,
  IndexError,
  InternalError,
  LeakedTracerError,
  TransformError,
} from "./problem.ts";

/** A traced value used where a concrete one is needed. */
export const ConcretizationTypeError: typeof ConcretizationError = ConcretizationError;
export const TracerArrayConversionError: typeof ConcretizationError = ConcretizationError;
export const TracerBoolConversionError: typeof ConcretizationError = ConcretizationError;
export const TracerIntegerConversionError: typeof ConcretizationError = ConcretizationError;
/** A traced boolean array used as an index. */
export const NonConcreteBooleanIndexError: typeof ConcretizationError = ConcretizationError;
/** A tracer used after its transformation has ended. */
export const UnexpectedTracerError: typeof LeakedTracerError = LeakedTracerError;
/** A PRNG key consumed twice, code `KeyReuse`. */
export const KeyReuseError: typeof TransformError = TransformError;
/** What all errors of this library have in common. */
export const JAXTypeError: typeof CotangentError = CotangentError;
export const JAXIndexError: typeof IndexError = IndexError;
/** A transformation that made an ill-typed program. */
export const JaxprTypeError: typeof InternalError = InternalError;
/** A device that cannot do what it was asked to. */
export const JaxRuntimeError: typeof DeviceError = DeviceError;

export * from "./errors.ts";
