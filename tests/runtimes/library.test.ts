/**
 * The whole library, by a sample that covers every primitive, on every device, in the runtime that runs this file: Node,
 * and a page in chromium (`npm test -- --project chromium`). For Deno see deno.test.ts.
 */
import { expect, test } from "vitest";
import { librarySample, sampledDevices } from "../support/librarySample.ts";
import { expectWhole } from "./whole.ts";

test.each(sampledDevices)("%s computes what the reference does", { timeout: 120_000 }, async (device) => {
  const report = await librarySample(device);
  expect(report.device).toBe(device);
  expectWhole(report);
});
