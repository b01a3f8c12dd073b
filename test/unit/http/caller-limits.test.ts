import { describe, expect, it } from "vitest";
import { CallerLimits } from "#shared/http/caller-limits.ts";
import { TokenBucket } from "#shared/resilience/token-bucket.ts";

describe("a caller", () => {
  const limit = { perS: 2, burst: 3, open: 100 };

  it("sends so many requests at once, and so many a second from then on", () => {
    const limits = new CallerLimits();
    const enter = (now: number) => typeof limits.enter("a", limit, now) === "function";
    expect([1, 2, 3, 4].map(() => enter(0))).toEqual([true, true, true, false]);
    expect([enter(499), enter(500), enter(500)]).toEqual([false, true, false]);
    expect([1, 2, 3, 4].map(() => enter(60_000))).toEqual([true, true, true, false]);
  });

  it("that sends too much is told when to come again", () => {
    const limits = new CallerLimits();
    const slow = { perS: 0.25, burst: 1, open: 100 };
    limits.enter("a", slow, 0);
    expect(limits.enter("a", slow, 0)).toEqual([
      expect.objectContaining({ status: 429, detail: expect.stringMatching(/0.25 requests a second/) }),
      { "retry-after": "4" },
    ]);
  });

  it("has its own limits: another one is not kept out", () => {
    const limits = new CallerLimits();
    for (let n = 0; n < 10; n++) limits.enter("a", limit, 0);
    expect(limits.enter("b", limit, 0)).toBeTypeOf("function");
  });

  it("has so many open requests, and room again when one has ended", () => {
    const limits = new CallerLimits();
    const two = { perS: 1, burst: 100, open: 2 };
    const [first] = [limits.enter("a", two, 0), limits.enter("a", two, 0)];
    expect(limits.enter("a", two, 0)).toMatchObject([{ status: 429 }, { "retry-after": "1" }]);
    if (typeof first === "function") first();
    expect(limits.enter("a", two, 0)).toBeTypeOf("function");
  });
});

it("a clock that goes back gives nothing, and takes nothing", () => {
  const bucket = new TokenBucket({ perS: 1, burst: 1 });
  expect(bucket.take(10_000)).toBe(true);
  expect(bucket.take(5_000)).toBe(false);
  expect(bucket.take(6_000)).toBe(true);
});
