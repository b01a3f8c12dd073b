import { describe, expect, it } from "vitest";
import { formatTaskId, parseTaskId, peerContextId, sessionOf } from "#shared/a2a/task-id.ts";
import { randomContext, formatTraceparent, parseTraceparent } from "#shared/tracing/trace-context.ts";

const owner = { agent: "searcher", principal: "local" };

describe("a task id", () => {
  it.each(["plain", "with.dots.1", "with spaces/ü", "s~a.1~b.2"])(
    "leads back to its thread and number: %s",
    (contextId) => {
      expect(parseTaskId("key", owner, formatTaskId("key", owner, { contextId, n: 12 }))).toEqual({ contextId, n: 12 });
    },
  );

  it.each(["a/b#c", "..", "ü?x=1", "tasks/1:cancel", "%2e", "~x", "half \ud83d\ude00 smile", " "])(
    "is safe in one path segment, whatever the contextId: %j",
    (contextId) => {
      const id = formatTaskId("key", owner, { contextId, n: 1 });
      expect(encodeURIComponent(id)).toBe(id);
      expect(new URL(`http://a.test/tasks/${id}`).pathname).toBe(`/tasks/${id}`);
      expect(parseTaskId("key", owner, id)).toEqual({ contextId, n: 1 });
    },
  );

  it("is void with one character changed, for another owner or key", () => {
    const id = formatTaskId("key", owner, { contextId: "c", n: 1 });
    for (let i = 0; i < id.length; i++) {
      const changed = id.slice(0, i) + (id[i] === "x" ? "y" : "x") + id.slice(i + 1);
      expect(parseTaskId("key", owner, changed)).toBeUndefined();
    }
    expect(parseTaskId("another", owner, id)).toBeUndefined();
    expect(parseTaskId("key", { ...owner, agent: "other" }, id)).toBeUndefined();
  });

  it("of a peer's thread belongs to the session that began it", () => {
    expect(sessionOf(peerContextId(peerContextId("s", "a", 1), "b", 2))).toBe("s");
  });
});

describe("trace context", () => {
  it("is continued from a valid traceparent", () => {
    const parent = parseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    expect(randomContext(parent).traceId).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(parseTraceparent(formatTraceparent(randomContext(parent)))?.traceId).toBe(
      "0af7651916cd43dd8448eb211c80319c",
    );
  });

  it.each([
    "",
    "garbage",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
  ])("begins anew where traceparent is not valid: %s", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
    expect(randomContext(parseTraceparent(header)).traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});
