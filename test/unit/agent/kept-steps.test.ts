// What the sessions of an isolate keep in memory together has a bound, however many there are.
import { expect, test } from "vitest";
import { KeptSteps } from "#shared/agent/session/tasks/kept-steps.ts";

const MOST_OF_ONE = 2_000_000;
/** So many full sessions are kept. */
const FULL = 8;

function session() {
  const owner = { forgot: 0, forgetSteps: () => void owner.forgot++ };
  return { owner, kept: new KeptSteps(owner) };
}

test("a session that keeps too much forgets its own steps, and nobody else's", () => {
  const [one, other] = [session(), session()];
  other.kept.use(10);
  one.kept.use(MOST_OF_ONE);
  one.kept.use(1);
  expect([one.owner.forgot, other.owner.forgot]).toEqual([1, 0]);
  other.kept.forget();
});

test("the session used longest ago forgets first, and only as many as must", () => {
  const sessions = Array.from({ length: FULL }, session);
  for (const { kept } of sessions) kept.use(MOST_OF_ONE);
  expect(sessions.map(({ owner }) => owner.forgot)).toEqual(sessions.map(() => 0));
  sessions[0]?.kept.use(0);
  const late = session();
  late.kept.use(1);
  expect(sessions.map(({ owner }) => owner.forgot)).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
  for (const { kept } of [...sessions, late]) kept.forget();
});
