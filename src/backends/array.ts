/**
 * Device arrays: the arrays that have values. A buffer lives in plain JavaScript memory here (the reference device), so
 * the collector owns it; `dispose` and donation only mark the array as given away.
 */
import type { Aval } from "../core/aval.ts";
import { NDArray } from "../core/ndarray.ts";
import { DeviceError } from "../core/problem.ts";
import type { Buffer, Device } from "./device.ts";

export class DeviceArray extends NDArray {
  readonly home: Device;
  #buffer: Buffer | null;
  #gone: "disposed" | "donated" | null = null;

  constructor(home: Device, aval: Aval, buffer: Buffer) {
    super(aval);
    this.home = home;
    this.#buffer = buffer;
  }

  override concrete(): NDArray {
    return this;
  }
  override describe(): string {
    return String(this.aval);
  }

  /** The buffer, or an error that says why there is none any more. */
  get buffer(): Buffer {
    if (this.#gone) throw gone(this, this.#gone);
    return this.#buffer;
  }

  get isGone(): boolean {
    return this.#gone !== null;
  }

  /** Gives the buffer up. Idempotent. */
  giveUp(reason: "disposed" | "donated"): void {
    if (this.#gone) return;
    this.home.release(this.#buffer);
    this.#buffer = null;
    this.#gone = reason;
  }
}

const gone = (x: DeviceArray, reason: "disposed" | "donated"): DeviceError =>
  new DeviceError("ArrayGone", {
    what: `a ${String(x.aval)} was used after it had been ${reason}`,
    why:
      reason === "donated"
        ? "an argument named in donateArgnums gives its memory to the results of the call"
        : "dispose() (or `using`) frees the memory at once",
    fix:
      reason === "donated"
        ? "use the result of the call instead, or remove the argument from donateArgnums"
        : "dispose of an array after its last use, or leave it to the collector",
  });
