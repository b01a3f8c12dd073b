// The client of the trace store, over a real socket: pages, prefixes, failures in words.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { readDetails } from "../../../../scripts/traces/store/details.ts";
import { findTrace, hexPrefix, newest } from "../../../../scripts/traces/store/find-trace.ts";
import { OtlpDocument } from "../../../../scripts/traces/store/otlp-merge.ts";
import { TraceList } from "../../../../scripts/traces/span.ts";
import { TraceStore } from "../../../../scripts/traces/store/store.ts";
import { recordedIo } from "../io.ts";
import { question, START_US, summary } from "./made-up.ts";
import { TraceStoreDouble } from "./store-double.ts";

let double: TraceStoreDouble;
let store: TraceStore;
beforeEach(async () => {
  double = await TraceStoreDouble.start();
  store = double.store();
});
afterEach(async () => double[Symbol.asyncDispose]());

const { traceId } = summary();
const noNote = {
  note: (text: string): void => {
    throw new Error(`Nobody expects a note: ${text}`);
  },
};
const numbered = (index: number) =>
  summary({ traceId: `${index.toString(16).padStart(4, "0")}${"a".repeat(28)}`, startUs: START_US + index });

describe("reading", () => {
  test("a list goes on over pages until it has enough", async () => {
    for (let index = 0; index < 11; index++) double.put(numbered(index), []);
    expect(await store.list({}, 9)).toHaveLength(9);
    expect(await store.list({ kind: "deploy" }, 9)).toEqual([]);
  });

  test("the spans of a trace come whole over pages, and then only what has changed", async () => {
    const spans = question();
    double.put(summary(), spans);
    const all = await store.changes(traceId, 0);
    expect(all?.spans.toSorted((a, b) => a.seq - b.seq)).toEqual(spans.toSorted((a, b) => a.seq - b.seq));
    const [last] = spans.slice(-1);
    if (last === undefined) throw new Error("There is no last span");
    const later = { ...last, seq: (all?.seq ?? 0) + 5, durationUs: 7 };
    double.put(summary(), [...spans.slice(0, -1), later]);
    expect(await store.changes(traceId, all?.seq ?? 0)).toMatchObject({ spans: [later], seq: later.seq });
  });

  test("a trace that is not there is undefined", async () => {
    expect(await store.changes(traceId, 0)).toBeUndefined();
  });

  test("OTLP pages become one document in which each agent's resource stands once", async () => {
    double.put(summary(), question());
    const document = new OtlpDocument();
    for await (const page of store.otlp(traceId)) document.add(page);
    const services = document.resourceSpans.map(({ resource, scopeSpans }) => [
      resource?.attributes?.[0]?.value,
      scopeSpans.map(({ spans }) => spans.length),
    ]);
    expect(services).toEqual([
      [{ stringValue: "coordinator" }, [6]],
      [{ stringValue: "searcher" }, [3]],
    ]);
  });

  test("one span is read whole by its number, unless it has changed since", async () => {
    const spans = question();
    const [root] = spans;
    if (root === undefined) throw new Error("There is no root");
    double.put(summary(), spans);
    const page = await store.whole(traceId, root);
    expect(page?.resourceSpans.flatMap((from) => from.scopeSpans.flatMap((scope) => scope.spans))).toHaveLength(1);
    double.put(summary(), [...spans.slice(1), { ...root, seq: root.seq + 100 }]);
    expect(await store.whole(traceId, root)).toBeUndefined();
  });

  test("details are read of small traces only", async () => {
    const spans = question();
    double.put(summary(), spans);
    const details = await readDetails(store, summary());
    expect(details.get(spans[2]?.spanId ?? "")).toEqual({ firstUs: 20_000 });
    expect(await readDetails(store, summary({ bytes: 5_000_000 }))).toEqual(new Map());
  });

  test("pruning says how many", async () => {
    double.put(summary(), []);
    expect(await store.prune(new Date(START_US / 1_000))).toBe(0);
    expect(await store.prune(new Date(START_US / 1_000 + 1))).toBe(1);
  });
});

describe("a store of another version", () => {
  test("that leaves out what only decorates a trace is read", async () => {
    const spans = question();
    double.put(summary(), spans);
    double.unknown = ["agents", "bytes", "modelCalls", "operation", "provisional", "costUsd"];
    const changes = await store.changes(traceId, 0);
    expect(changes?.summary).toEqual({ ...summary(), agents: [], bytes: 0, modelCalls: 0, costUsd: null });
    const known = spans.map((span) => ({ ...span, operation: "", provisional: false, costUsd: null }));
    expect(changes?.spans.toSorted((a, b) => a.seq - b.seq)).toEqual(known.toSorted((a, b) => a.seq - b.seq));
    expect(await store.list({}, 1)).toEqual([changes?.summary]);
  });

  test("that knows another kind of trace is read", () => {
    const page = TraceList.parse({ traces: [{ ...summary(), kind: "rehearsal" }], next: null });
    expect(page.traces).toEqual([summary({ kind: "other" })]);
  });

  test("that leaves out a part of the tree is a failure that says what to do", async () => {
    double.put(summary(), question());
    double.unknown = ["parentId"];
    await expect(store.changes(traceId, 0)).rejects.toMatchObject({
      code: "failed",
      next: "Restart a job, so that both are of one version: npx troupe restart <job>",
    });
  });
});

describe("finding", () => {
  test("last is the newest query of all jobs", async () => {
    double.put(numbered(1), []);
    double.put({ ...numbered(2), kind: "deploy" }, []);
    await using other = await TraceStoreDouble.start();
    other.put(numbered(3), []);
    const stores = [store, other.store()];
    expect((await findTrace(stores, "last", noNote)).summary.traceId).toBe(numbered(3).traceId);
    expect((await newest(stores, {}, 2, noNote)).map(({ summary }) => summary.traceId)).toEqual([
      numbered(3).traceId,
      numbered(2).traceId,
    ]);
  });

  test("a job whose store cannot be read is named, and hides no other job's traces; alone it is the failure", async () => {
    double.put(numbered(1), []);
    await using other = await TraceStoreDouble.start();
    const unreadable = other.store(undefined, "not its token");
    const io = recordedIo();
    const found = await newest([store, unreadable], {}, 2, io);
    expect(found.map(({ summary }) => summary.traceId)).toEqual([numbered(1).traceId]);
    expect(io.notes).toEqual([expect.stringMatching(/^The traces of job are left out: The trace store answers 401/)]);
    await expect(newest([unreadable], {}, 2, noNote)).rejects.toThrow("The trace store answers 401");
  });

  test("the first digits are enough where they tell a trace from others", async () => {
    double.put(numbered(1), []);
    double.put(numbered(2), []);
    expect((await findTrace([store], "0001A", noNote)).summary.traceId).toBe(numbered(1).traceId);
    await expect(findTrace([store], "0003", noNote)).rejects.toMatchObject({ message: "There is no trace 0003." });
    double.put({ ...numbered(2), traceId: `0001${"b".repeat(28)}` }, []);
    await expect(findTrace([store], "0001", noNote)).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("Several traces begin with 0001:") as unknown,
    });
  });

  test("several that fit are told on a line each, whatever their names hold", async () => {
    double.put({ ...numbered(1), name: "Send\u001b[2J\nMessage" }, []);
    double.put({ ...numbered(1), traceId: `0001${"b".repeat(28)}` }, []);
    const error: unknown = await findTrace([store], "0001", noNote).catch((thrown: unknown) => thrown);
    const lines = error instanceof Error ? error.message.split("\n") : [];
    expect(lines.slice(1).toSorted()).toEqual([
      `  ${numbered(1).traceId}  job  Send [2J Message`,
      `  0001${"b".repeat(28)}  job  SendMessage`,
    ]);
  });

  test("without any query, last says what to do", async () => {
    await expect(findTrace([store], "last", noNote)).rejects.toMatchObject({
      next: 'Ask something: npx troupe query <job> "…"',
    });
  });

  test.each(["abc", "xyz0", "", "a".repeat(33), "1a2b%", "../x"])("%j is no id", (text) => {
    expect(() => hexPrefix(text, "trace id", 32)).toThrow("is no trace id");
  });
});

describe("a failure", () => {
  test("of the token says to deploy again, and never shows a token", async () => {
    const error: unknown = await double
      .store(undefined, "job.wrong")
      .list({}, 1)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: "CliError",
      message: "The trace store answers 401: No such token.",
      next: "The control plane has a new secret. Deploy the job again: npx troupe deploy job",
    });
    expect(JSON.stringify(error)).not.toContain("job.wrong");
  });

  test("of the connection says who does not answer", async () => {
    const signal = new AbortController().signal;
    const nobody = new TraceStore({ job: "job", url: "http://127.0.0.1:1", token: "t", signal });
    await expect(nobody.list({}, 1)).rejects.toMatchObject({
      code: "failed",
      message: expect.stringContaining("The control plane at http://127.0.0.1:1 does not answer") as unknown,
    });
  });

  test("of the user to wait is thrown as such", async () => {
    const signal = AbortSignal.abort(new Error("Interrupted."));
    await expect(double.store(signal).list({}, 1)).rejects.toThrow("Interrupted.");
  });
});
