/** What a report on the library must say: nothing is wrong, and nothing was left out. */
import { expect } from "vitest";
import type { LibraryReport } from "../support/librarySample.ts";
import { samplePrograms } from "../support/samplePrograms.ts";
import { primitives } from "../sweep/registry.ts";

export function expectWhole(report: LibraryReport): void {
  expect(report.wrong).toEqual([]);
  expect([...report.primitives].sort()).toEqual(primitives.map((p) => p.name).sort());
  expect(report.programs).toEqual(samplePrograms.map((p) => p.name));
  // Only WebGPU has no float64.
  if (report.device === "webgpu") expect(report.refused.length).toBeGreaterThan(20);
  else expect(report.refused).toEqual([]);
}
