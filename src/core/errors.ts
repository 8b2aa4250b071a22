/** The classes of errors that users meet. */
export {
  ArgumentError,
  BatchingError,
  ConcretizationError,
  ControlFlowError,
  CotangentError,
  DTypeError,
  DataError,
  DeviceError,
  DifferentiationError,
  IndexError,
  InternalError,
  LeakedTracerError,
  NaNError,
  ShapeError,
  TransformError,
  TreeError,
} from "./problem.ts";
