import { expect, test } from "vitest";
import { isForwarded } from "../../../workers/control-plane/traces/forward/sampling.ts";
import { readSettings } from "../../../workers/control-plane/traces/forward/settings.ts";

const { settings } = readSettings({
  OTEL_TRACES_SAMPLER_ARG: "0",
  TROUPE_TRACES_SLOW: "5s",
  TROUPE_TRACES_COSTLY: "0.5",
});
const ORDINARY = { traceId: `${"a".repeat(18)}ffffffffffffff`, errors: 0, durationUs: 5_000_000, costUsd: 0.4999 };

test("with a share of nothing ordinary traces stay here", () => {
  expect(isForwarded(ORDINARY, settings)).toBe(false);
});

test.for([{ errors: 1 }, { durationUs: 5_000_001 }, { costUsd: 0.5 }])(
  "a trace with %j is always forwarded",
  (changes) => {
    expect(isForwarded({ ...ORDINARY, ...changes }, settings)).toBe(true);
  },
);

test("a share of one is all", () => {
  const traceId = `${"a".repeat(18)}00000000000000`;
  expect(isForwarded({ ...ORDINARY, traceId }, { ...settings, share: 1 })).toBe(true);
});

test("a share is kept by trace id: the same ones always, and more of them with a larger share", () => {
  const ids = Array.from({ length: 1000 }, (_, n) =>
    Math.floor((n / 1000) * 2 ** 48)
      .toString(16)
      .padStart(12, "0"),
  );
  const kept = (share: number) =>
    ids.filter((id) => isForwarded({ ...ORDINARY, traceId: `${"b".repeat(18)}${id}00` }, { ...settings, share }));
  expect(kept(0.1).length).toBeGreaterThan(95);
  expect(kept(0.1).length).toBeLessThan(105);
  expect(kept(0.5)).toEqual(expect.arrayContaining(kept(0.1)));
});
