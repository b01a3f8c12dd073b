import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MAX_REGISTERED, type Registration, SearchQuery } from "#shared/control-plane/registry.ts";
import type { Registry } from "../../workers/control-plane/registry/registry.ts";

/** Far in the future: the engine rings an alarm that is due by the real clock on its own. */
const START = Date.UTC(2100, 0, 1);
const INTERVAL = 1000;
const LEASE = 3 * INTERVAL;

let registry: DurableObjectStub<Registry>;

beforeEach(({ task }) => {
  vi.useFakeTimers({ now: START, toFake: ["Date"] });
  registry = env.REGISTRY.getByName(task.id);
});

afterEach(() => {
  vi.useRealTimers();
});

test("a registered agent is listed with its card and state", async () => {
  expect(await registry.register(agent("searcher"))).toEqual({
    id: "searcher",
    state: "alive",
    intervalMs: INTERVAL,
    leaseMs: LEASE,
  });
  expect(await registry.list()).toEqual([
    {
      ...agent("searcher"),
      state: "alive",
      lastHeartbeat: "2100-01-01T00:00:00.000Z",
      registeredAt: "2100-01-01T00:00:00.000Z",
    },
  ]);
});

test("registering again replaces the card, also in the index, and keeps the date of registration", async () => {
  await registry.register(agent("searcher", { description: "looks for zebras" }));
  vi.setSystemTime(START + 5000);
  await registry.register(agent("searcher", { description: "looks for giraffes" }));
  expect(await found({ q: "zebras" })).toEqual([]);
  expect(await found({ q: "giraffe" })).toEqual(["searcher"]);
  const [listed] = await registry.list();
  expect(listed).toMatchObject({
    registeredAt: "2100-01-01T00:00:00.000Z",
    lastHeartbeat: "2100-01-01T00:00:05.000Z",
  });
});

test("agents whose rows cannot be read are left out, and forgotten when their time comes; the others stay", async () => {
  for (const id of ["a", "b", "c"]) await registry.register(agent(id));
  await runInDurableObject(registry, (_, { storage }) => {
    storage.sql.exec("UPDATE agents SET card = '{' WHERE id = 'a'");
    storage.sql.exec("UPDATE agents SET state = 'odd' WHERE id = 'b'");
  });
  expect((await registry.list()).map(({ id }) => id)).toEqual(["c"]);
  expect(await found({})).toEqual(["c"]);
  vi.setSystemTime(START + LEASE);
  await runDurableObjectAlarm(registry);
  expect(await registry.heartbeat("a")).toMatchObject({ found: false });
  expect(await registry.heartbeat("c")).toMatchObject({ found: true });
});

test("a job that registers without end is refused beyond a bound, unless dead agents can make room", async () => {
  await registry.register(agent("first"));
  await runInDurableObject(registry, (_, { storage }) => {
    const copy = `INSERT INTO agents (id, card, interval_ms, registered_at, last_heartbeat, state, due_at)
      WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      SELECT 'n' || i, card, interval_ms, registered_at, last_heartbeat, state, due_at FROM agents, n`;
    storage.sql.exec(copy, MAX_REGISTERED);
  });
  expect(await registry.register(agent("one_more"))).toBe("full");
  expect(await registry.register(agent("first"))).toMatchObject({ id: "first" });
  await runInDurableObject(registry, (_, { storage }) => {
    storage.sql.exec("UPDATE agents SET state = 'dead' WHERE id = 'n7'");
  });
  expect(await registry.register(agent("one_more"))).toMatchObject({ id: "one_more" });
  expect(await registry.get("n7")).toMatchObject({ found: false });
});

test("what belongs to an unknown id is answered with the nearest known one", async () => {
  await registry.register(agent("summarizer"));
  const unknown = { found: false, nearest: "summarizer" };
  expect(await registry.get("sumarizer")).toEqual(unknown);
  expect(await registry.heartbeat("sumarizer")).toEqual(unknown);
  expect(await registry.remove("sumarizer")).toEqual(unknown);
});

test("a removed agent is found no more", async () => {
  await registry.register(agent("searcher"));
  expect(await registry.remove("searcher")).toEqual({ found: true, value: null });
  expect(await registry.list()).toEqual([]);
  expect(await found({ q: "searcher" })).toEqual([]);
});

test("search finds words in names, descriptions, skills, tags and examples", async () => {
  await registry.register(agent("one", { name: "Alpha" }));
  await registry.register(agent("two", { description: "reads bravo" }));
  await registry.register(agent("three", { skills: [skill({ name: "charlie" })] }));
  await registry.register(agent("four", { skills: [skill({ tags: ["delta"] })] }));
  await registry.register(agent("five", { skills: [skill({ examples: ["echo this"] })] }));
  for (const [q, id] of [
    ["ALPHA", "one"],
    ["bravo", "two"],
    ["charl", "three"],
    ["deltas", "four"],
    ["echo", "five"],
  ]) {
    expect(await found({ q })).toEqual([id]);
  }
});

test("skill, tag and words narrow each other down", async () => {
  await registry.register(agent("one", { description: "red", skills: [skill({ id: "paint", tags: ["Art"] })] }));
  await registry.register(agent("two", { description: "blue", skills: [skill({ id: "paint", tags: ["home"] })] }));
  await registry.register(agent("three", { description: "red", skills: [skill({ id: "sing", tags: ["art"] })] }));
  expect(await found({ skill: "paint" })).toEqual(["one", "two"]);
  expect(await found({ tag: "art" })).toEqual(["one", "three"]);
  expect(await found({ tag: "art", skill: "PAINT" })).toEqual(["one"]);
  expect(await found({ tag: "art", q: "red", skill: "sing" })).toEqual(["three"]);
  expect(await found({ tag: "art", q: "blue" })).toEqual([]);
  expect(await found({ q: "  " })).toEqual(["one", "three", "two"]);
  expect(await found({ limit: 2 })).toEqual(["one", "three"]);
});

test("the best fit comes first, but never before an agent that lives", async () => {
  await registry.register(agent("best", { name: "Weather", description: "weather", url: "http://down.agent.test" }));
  await registry.register(agent("good", { description: "now and then the weather, mostly other things" }));
  await registry.register(agent("other", { description: "something else" }));
  expect(await found({ q: "weather" })).toEqual(["best", "good"]);
  vi.setSystemTime(START + LEASE);
  await registry.heartbeat("good");
  await runDurableObjectAlarm(registry);
  expect(await found({ q: "weather" })).toEqual(["good", "best"]);
});

test.for([
  'weather" OR "1',
  "name:weather NOT x",
  "weather AND (",
  "NEAR(weather, 2)",
  "^weather*",
  "weather'; DROP TABLE agents; --",
  '"weather',
])("query syntax in a search is only words: %s", async (q) => {
  await registry.register(agent("forecaster", { description: "knows the weather" }));
  expect(await found({ q })).toEqual(["forecaster"]);
});

test.for(["???", '"', "*", "--", "😀"])("a search without any word finds nothing: %s", async (q) => {
  await registry.register(agent("searcher"));
  expect(await found({ q })).toEqual([]);
});

test("a heartbeat renews the lease, so the alarm finds the agent alive", async () => {
  await registry.register(agent("searcher", { url: "http://down.agent.test" }));
  vi.setSystemTime(START + LEASE - 1);
  expect(await registry.heartbeat("searcher")).toEqual({ found: true, value: { state: "alive", leaseMs: LEASE } });
  vi.setSystemTime(START + LEASE);
  expect(await runDurableObjectAlarm(registry)).toBe(true);
  expect(await stateOf("searcher")).toBe("alive");
  expect(await alarmTime()).toBe(START + LEASE - 1 + LEASE);
});

test("while the agent is alive a heartbeat leaves the alarm where it is", async () => {
  await registry.register(agent("searcher"));
  vi.setSystemTime(START + INTERVAL);
  await registry.heartbeat("searcher");
  expect(await alarmTime()).toBe(START + LEASE);
});

test("an agent that is registered with a shorter interval moves the alarm forward", async () => {
  await registry.register(agent("slow", { intervalMs: 60_000 }));
  await registry.register(agent("fast", { intervalMs: 100 }));
  expect(await alarmTime()).toBe(START + 300);
});

test("a silent agent that answers its probe stays alive, and its last heartbeat is not made up", async () => {
  await registry.register(agent("searcher", { url: "http://up.agent.test" }));
  vi.setSystemTime(START + LEASE);
  await runDurableObjectAlarm(registry);
  const [listed] = await registry.list();
  expect(listed).toMatchObject({ state: "alive", lastHeartbeat: "2100-01-01T00:00:00.000Z" });
  expect(await alarmTime()).toBe(START + 2 * LEASE);
});

test.for(["down", "moved"])("a silent agent whose health is %s is dead, and removed after ten leases", async (name) => {
  await registry.register(agent("searcher", { url: `http://${name}.agent.test` }));
  vi.setSystemTime(START + LEASE);
  await runDurableObjectAlarm(registry);
  expect(await stateOf("searcher")).toBe("dead");
  vi.setSystemTime(START + 11 * LEASE);
  await runDurableObjectAlarm(registry);
  expect(await registry.list()).toEqual([]);
  expect(await runDurableObjectAlarm(registry)).toBe(false);
});

test("a dead agent that sends a heartbeat lives again, with a lease that the alarm watches", async () => {
  await registry.register(agent("searcher", { url: "http://down.agent.test" }));
  vi.setSystemTime(START + LEASE);
  await runDurableObjectAlarm(registry);
  await registry.heartbeat("searcher");
  expect(await stateOf("searcher")).toBe("alive");
  expect(await alarmTime()).toBe(START + 2 * LEASE);
});

test("a heartbeat during the probe counts more than the probe", async () => {
  await registry.register(agent("searcher", { url: "http://down.agent.test" }));
  vi.setSystemTime(START + LEASE);
  const probing = runDurableObjectAlarm(registry);
  await vi.waitFor(async () => expect(await stateOf("searcher")).toBe("suspect"), { interval: 1 });
  await registry.heartbeat("searcher");
  await probing;
  expect(await stateOf("searcher")).toBe("alive");
});

test("an evicted registry keeps agents, index and leases", async () => {
  await registry.register(agent("searcher", { url: "http://down.agent.test", description: "looks for zebras" }));
  await evictDurableObject(registry);
  expect(await found({ q: "zebra" })).toEqual(["searcher"]);
  await evictDurableObject(registry);
  vi.setSystemTime(START + LEASE);
  expect(await runDurableObjectAlarm(registry)).toBe(true);
  expect(await stateOf("searcher")).toBe("dead");
});

test("a registry that was evicted between suspicion and probe probes when its alarm is retried", async () => {
  await registry.register(agent("searcher", { url: "http://down.agent.test" }));
  await runInDurableObject(registry, (_, state) => {
    state.storage.sql.exec("UPDATE agents SET state = 'suspect', due_at = ?", START);
  });
  await evictDurableObject(registry);
  await runDurableObjectAlarm(registry);
  expect(await stateOf("searcher")).toBe("dead");
});

describe("where the deployment says how each agent is asked", () => {
  const asked: string[] = [];

  beforeEach(async ({ task }) => {
    asked.length = 0;
    const answers = (status: number) => ({
      fetch: async (url: string) => {
        asked.push(url);
        return new Response(null, { status });
      },
    });
    const probes = { up: "PROBE_UP", down: "PROBE_DOWN", unprobed: null };
    const ways = { PROBES: { [task.id]: probes }, PROBE_UP: answers(200), PROBE_DOWN: answers(503) };
    await runInDurableObject(registry, (instance) => {
      Object.defineProperty(instance, "env", { value: { ...env, ...ways } });
    });
  });

  const ring = async (afterMs: number) => {
    vi.setSystemTime(START + afterMs);
    await runDurableObjectAlarm(registry);
  };

  test("a silent agent is asked that way, whatever address it registered", async () => {
    await registry.register(agent("up", { url: "http://down.agent.test" }));
    await registry.register(agent("down", { url: "http://up.agent.test" }));
    await ring(LEASE);
    expect([await stateOf("up"), await stateOf("down")]).toEqual(["alive", "dead"]);
    expect(asked).toEqual(["http://agent/health", "http://agent/health"]);
  });

  test.for(["unprobed", "unknown"])("an agent that is %s is asked nowhere: a lease later it is dead", async (id) => {
    await registry.register(agent(id, { url: "http://up.agent.test" }));
    await ring(LEASE);
    expect(await stateOf(id)).toBe("suspect");
    expect(await alarmTime()).toBe(START + 2 * LEASE);
    await ring(2 * LEASE);
    expect(await stateOf(id)).toBe("dead");
    expect(asked).toEqual([]);
  });

  test("a heartbeat of an unprobed suspect renews its lease", async () => {
    await registry.register(agent("unprobed"));
    await ring(LEASE);
    await registry.heartbeat("unprobed");
    await ring(2 * LEASE - 1);
    expect(await stateOf("unprobed")).toBe("alive");
  });
});

function agent(id: string, changes: Partial<Registration> = {}): Registration {
  return {
    id,
    name: id,
    description: "does things",
    version: "1.0.0",
    url: "http://up.agent.test",
    skills: [],
    intervalMs: INTERVAL,
    ...changes,
  };
}

function skill(changes: Partial<Registration["skills"][number]>): Registration["skills"][number] {
  return { id: "skill", name: "a skill", description: "can", tags: [], examples: [], ...changes };
}

async function found(query: {
  skill?: string;
  tag?: string;
  q?: string | undefined;
  limit?: number;
}): Promise<string[]> {
  return (await registry.search(SearchQuery.parse(query))).map(({ id }) => id);
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await registry.list()).find((listed) => listed.id === id)?.state;
}

function alarmTime(): Promise<number | null> {
  return runInDurableObject(registry, (_, state) => state.storage.getAlarm());
}
