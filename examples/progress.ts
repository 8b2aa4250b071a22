/** The progress of a training loop: one line that is kept up to date in a terminal, a line now and then elsewhere. */
import type { WriteStream } from "node:tty";
import type { NDArray } from "cotangent";

const barLength = 24;

/**
 * @param batchSize images per step, for the rate.
 */
export function progressDisplay(out: Pick<WriteStream, "write" | "isTTY">, steps: number, batchSize: number) {
  const started = performance.now();
  const every = out.isTTY ? 5 : Math.ceil(steps / 10);
  let smoothed = NaN;
  return {
    /** Reports a finished step. Reading the loss waits for the device, so it is not done at every step. */
    async show(step: number, loss: NDArray): Promise<void> {
      if (step % every !== 0 && step !== steps) return;
      const now = Number(await loss.jsAsync());
      smoothed = Number.isNaN(smoothed) ? now : 0.7 * smoothed + 0.3 * now;
      const seconds = (performance.now() - started) / 1000;
      const filled = Math.round((barLength * step) / steps);
      const parts = [
        `${"█".repeat(filled)}${"░".repeat(barLength - filled)} ${String(step).padStart(String(steps).length)}/${steps}`,
        `loss ${smoothed.toFixed(3)}`,
        `${Math.round((step * batchSize) / seconds)} images/s`,
        step < steps ? `${Math.ceil((seconds / step) * (steps - step))} s left` : `${seconds.toFixed(1)} s`,
      ];
      out.write(out.isTTY ? `\r${parts.join("   ")}\x1b[K` : `${parts.join("   ")}\n`);
    },
    done(): void {
      if (out.isTTY) out.write("\n");
    },
  };
}
