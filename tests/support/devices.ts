/** Running parts of a test on another device. */
import { defaultDevice } from "../../src/backends/registry.ts";

/** Runs `f` with another default device. */
export function onDevice<T>(device: string, f: () => T): T {
  const before = defaultDevice();
  defaultDevice(device);
  try {
    return f();
  } finally {
    defaultDevice(before);
  }
}
