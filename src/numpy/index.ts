import "./install.ts";
import "../backends/install.ts";

export { NDArray as Array, NDArray as ndarray, type NDArray } from "../core/ndarray.ts";
