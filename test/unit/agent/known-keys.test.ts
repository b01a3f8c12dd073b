// How long an agent trusts what the control plane said of a key.
import { describe, expect, it } from "vitest";
import type { Account } from "#shared/control-plane/keys.ts";
import { KnownKeys } from "#shared/agent/control-plane/known-keys.ts";

const ACCOUNT: Account = { name: "laptop", account: "laptop", scopes: ["ask"], expiresAt: null };
const START = 1_000_000;
const AWAY = "away";

/** Keys whose control plane says what `answer` says at the moment. */
function keys(answer: { now: Account | undefined | typeof AWAY }) {
  let questions = 0;
  const known = new KnownKeys(async () => {
    questions++;
    if (answer.now === AWAY) throw new Error("no answer");
    return answer.now;
  });
  return { find: async (afterMs: number, hash = "h") => known.find(hash, START + afterMs), asked: () => questions };
}

describe("a key", () => {
  it("is asked about once in two seconds", async () => {
    const { find, asked } = keys({ now: ACCOUNT });
    for (const afterMs of [0, 500, 1_999]) expect(await find(afterMs)).toEqual(ACCOUNT);
    expect(asked()).toBe(1);
    expect(await find(2_000)).toEqual(ACCOUNT);
    expect(asked()).toBe(2);
  });

  it("that is revoked is refused within five seconds, also while others ask", async () => {
    const answer = { now: ACCOUNT as Account | undefined };
    const { find } = keys(answer);
    await find(0);
    answer.now = undefined;
    const [first, second] = await Promise.all([find(4_500), find(4_501)]);
    expect([first, second]).toEqual(["refused", "refused"]);
  });

  it("that has not been used for minutes does not count unasked while another request asks", async () => {
    const answer = { now: ACCOUNT as Account | undefined };
    const { find } = keys(answer);
    await find(0);
    answer.now = undefined;
    expect(await Promise.all([find(200_000), find(200_001), find(200_002)])).toEqual(["refused", "refused", "refused"]);
  });

  it("counts for five minutes without the control plane, and is then no longer known", async () => {
    const answer: { now: Account | undefined | typeof AWAY } = { now: ACCOUNT };
    const { find, asked } = keys(answer);
    await find(0);
    answer.now = AWAY;
    for (const afterMs of [2_000, 60_000, 299_999]) expect(await find(afterMs)).toEqual(ACCOUNT);
    const before = asked();
    // Not every request waits for a control plane that is away.
    expect(await find(299_999)).toEqual(ACCOUNT);
    expect(asked()).toBe(before);
    expect(await find(302_000)).toBe("away");
  });

  it("that was never seen is not known without the control plane", async () => {
    expect(await keys({ now: AWAY }).find(0)).toBe("away");
  });

  it("that has expired is refused, whoever is asked", async () => {
    const expiresAt = new Date(START + 1_000).toISOString();
    const answer: { now: Account | undefined | typeof AWAY } = { now: { ...ACCOUNT, expiresAt } };
    const { find } = keys(answer);
    expect(await find(999)).toMatchObject({ name: "laptop" });
    expect(await find(1_000)).toBe("refused");
    answer.now = AWAY;
    expect(await find(5_000)).toBe("refused");
  });

  it("that was revoked stays refused where an older answer comes late", async () => {
    const late = Promise.withResolvers<Account | undefined>();
    const answers = [late.promise, Promise.resolve(undefined)];
    const known = new KnownKeys(async () => answers.shift());
    const first = known.find("h", START);
    expect(await known.find("h", START + 1)).toBe("refused");
    late.resolve(ACCOUNT);
    await first;
    expect(await known.find("h", START + 2)).toBe("refused");
  });
});

it("many invented keys do not keep the control plane busy, and known ones go on", async () => {
  const answer: { now: Account | undefined } = { now: ACCOUNT };
  const { find, asked } = keys(answer);
  await find(0);
  answer.now = undefined;
  const verdicts = await Promise.all(Array.from({ length: 5_000 }, async (_, n) => find(100, `invented ${n}`)));
  expect(asked()).toBeLessThan(100);
  expect(new Set(verdicts)).toEqual(new Set(["refused", "away"]));
  expect(await find(1_000)).toEqual(ACCOUNT);
});
