import { describe, expect, it } from "vitest";
import { Breaker, CircuitOpen, type GateChange } from "#shared/resilience/breaker.ts";

const START = Date.UTC(2026, 0, 1, 12);

/** A breaker with a clock that stands still until the test moves it, and the changes that it reported. */
function breaker() {
  const clock = { now: START };
  const changes: GateChange[] = [];
  const made = new Breaker("peer:searcher", () => clock.now);
  const enter = () => made.enter((change) => changes.push(change));
  const fail = (times = 1) => {
    for (let n = 0; n < times; n++) enter().failure("it could not be reached.");
  };
  return { made, clock, changes, enter, fail, states: () => changes.map(({ state }) => state) };
}

describe("a closed circuit", () => {
  it("lets four failures in a row pass, and opens with the fifth", () => {
    const { made, fail, changes } = breaker();
    fail(4);
    expect([made.status().state, made.status().failures, changes]).toEqual(["closed", 4, []]);
    fail();
    expect(changes).toEqual([{ target: "peer:searcher", state: "open", failures: 5 }]);
  });

  it("forgets failures with the first success, but not with a call that was given up", () => {
    const { made, fail, enter } = breaker();
    fail(4);
    enter().abandon();
    expect(made.status().failures).toBe(4);
    enter().success();
    fail(4);
    expect(made.status()).toEqual({ target: "peer:searcher", state: "closed", failures: 4 });
  });

  it("counts a call once, whatever is said of it afterwards", () => {
    const { made, enter } = breaker();
    const pass = enter();
    pass.failure("once");
    pass.failure("twice");
    pass.success();
    expect(made.status().failures).toBe(1);
  });
});

describe("an open circuit", () => {
  it("refuses calls at once, and says since when, why, and when it is tried again", () => {
    const { made, clock, fail, enter } = breaker();
    fail(5);
    clock.now += 1_500;
    expect(enter).toThrow(CircuitOpen);
    expect(enter).toThrow(
      "The circuit to peer searcher is open since 2026-01-01T12:00:00.000Z, after 5 failures in a row, the last: it could not be reached. It is tried again in 4 s.",
    );
    expect(made.status()).toEqual({
      target: "peer:searcher",
      state: "open",
      failures: 5,
      openSince: "2026-01-01T12:00:00.000Z",
      openUntil: "2026-01-01T12:00:05.000Z",
    });
  });

  it("hears nothing of what became of calls from before it opened", () => {
    const { made, fail, enter, states } = breaker();
    const [slow, slower] = [enter(), enter()];
    fail(5);
    slow.success();
    slower.failure("late");
    expect([made.status().state, made.status().failures, states()]).toEqual(["open", 5, ["open"]]);
  });

  it("is not locked for longer than one cool-down by a clock that is set back", () => {
    const { clock, fail, enter } = breaker();
    fail(5);
    clock.now -= 3_600_000;
    expect(enter).toThrow("It is tried again in 5 s.");
    clock.now += 5_000;
    expect(enter).not.toThrow();
  });

  it("keeps no more than a part of a long reason, and no half characters", () => {
    const { enter } = breaker();
    for (let n = 0; n < 5; n++) enter().failure(`${"x".repeat(299)}😀${"x".repeat(1_000)}`);
    const refused = () => {
      try {
        enter();
      } catch (error) {
        return String(error);
      }
      return "";
    };
    expect(refused().length).toBeLessThan(600);
    expect(refused().isWellFormed()).toBe(true);
  });
});

describe("a half-open circuit", () => {
  /** One whose cool-down is over. */
  const cooled = () => {
    const parts = breaker();
    parts.fail(5);
    parts.clock.now += 5_000;
    return parts;
  };

  it("lets exactly one of many calls through, as its probe", () => {
    const { made, enter } = cooled();
    const outcomes = Array.from({ length: 10 }, () => {
      try {
        return enter();
      } catch (error) {
        return error;
      }
    });
    expect(outcomes.filter((outcome) => outcome instanceof CircuitOpen)).toHaveLength(9);
    expect(outcomes[0]).toMatchObject({ isProbe: true });
    expect(enter).toThrow("One call is trying it right now.");
    expect(made.status().state).toBe("half_open");
  });

  it("closes with the probe's success, and calls are no probes any more", () => {
    const { made, enter, states } = cooled();
    enter().success();
    expect(made.status()).toEqual({ target: "peer:searcher", state: "closed", failures: 0 });
    expect(enter().isProbe).toBe(false);
    expect(states()).toEqual(["open", "half_open", "closed"]);
  });

  it("opens again with the probe's failure, each time for twice as long, up to a minute, as one outage", () => {
    const { made, clock, fail, enter } = cooled();
    const coolDowns: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      fail();
      const { openUntil = "" } = made.status();
      coolDowns.push(Date.parse(openUntil) - clock.now);
      clock.now = Date.parse(openUntil) - 1;
      expect(enter).toThrow(CircuitOpen);
      clock.now += 1;
    }
    expect(coolDowns).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(made.status().openSince).toBe("2026-01-01T12:00:00.000Z");
  });

  it("begins with the short cool-down again once it had closed", () => {
    const { made, clock, fail, enter } = cooled();
    fail();
    clock.now += 10_000;
    enter().success();
    fail(5);
    expect(Date.parse(made.status().openUntil ?? "") - clock.now).toBe(5_000);
  });

  it("makes the next call its probe when a probe was given up", () => {
    const { made, enter } = cooled();
    enter().abandon();
    expect(made.status().state).toBe("open");
    expect(enter().isProbe).toBe(true);
    expect(enter).toThrow(CircuitOpen);
  });

  it("makes another call its probe when one did not come back in a minute, and the first may still close it", () => {
    const { made, clock, enter } = cooled();
    const lost = enter();
    clock.now += 59_999;
    expect(enter).toThrow(CircuitOpen);
    clock.now += 1;
    expect(enter().isProbe).toBe(true);
    lost.success();
    expect(made.status().state).toBe("closed");
  });

  it.each(["fails", "is given up"])("a probe that %s late says nothing about the one that took its place", (how) => {
    const { made, clock, enter } = cooled();
    const lost = enter();
    clock.now += 60_000;
    const second = enter();
    if (how === "fails") lost.failure("late");
    else lost.abandon();
    expect(enter).toThrow("One call is trying it right now.");
    second.success();
    expect(made.status().state).toBe("closed");
  });
});
