// The messages of a log that grows: what was made of its beginning serves again, and nobody notices.
import { describe, expect, it } from "vitest";
import { ANYONE, type Backend } from "#shared/loop/log/sendable.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import type { Step } from "#shared/loop/log/step.ts";

const HERE: Backend = { provider: "here", name: "model", server: { address: "127.0.0.1", port: 1 } };
const USAGE = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };

const asked = (text: string): Step => ({ kind: "user", text });
const said = (...content: object[]): Step => ({
  kind: "assistant",
  // SAFETY: blocks as the API sends them.
  content: content as Extract<Step, { kind: "assistant" }>["content"],
  stopReason: "end_turn",
  usage: USAGE,
  model: "model",
  malformedInputs: {},
});
const call = (id: string) => said({ type: "tool_use", id, name: "t", input: {} });
const result = (toolUseId: string): Step => ({ kind: "tool_result", toolUseId, content: "done", isError: false });
const text = (words: string) => said({ type: "text", text: words });
const note = (about: "initial" | "context"): Step => ({ kind: "note", about, text: about });

/** Turns of every kind: plain, with tools, with the same id twice, cut off, refused, with hooks' words, with thinking. */
const TURNS: readonly (readonly Step[])[] = [
  [asked("one"), note("initial"), text("first")],
  [asked("two"), call("a"), result("a"), text("second")],
  [asked("three"), call("a")],
  [asked("four"), call("a"), call("b"), result("b")],
  [asked("five"), { kind: "blocked", reason: "no" }],
  [
    asked("six"),
    note("context"),
    said({ type: "thinking", thinking: "hm", signature: "s" }, { type: "text", text: "six" }),
  ],
  [{ kind: "user", text: "/compact", command: "compact" }],
  [asked("eight"), text("last")],
];
const fresh = (steps: readonly Step[], to?: Backend) => transcript(structuredClone(steps), to);

describe("the messages of a log that grows", () => {
  it.each([[undefined], [HERE], [ANYONE]])("are those of the whole log, at each of its steps, for %j", (backend) => {
    const log: Step[] = [];
    for (const step of TURNS.flat()) {
      log.push(step);
      expect(transcript(log, backend)).toEqual(fresh(log, backend));
    }
  });

  it("are those of the whole log whichever backend is asked next", () => {
    const log: Step[] = [];
    for (const step of TURNS.flat()) {
      log.push(step);
      for (const backend of [HERE, ANYONE, undefined]) expect(transcript(log, backend)).toEqual(fresh(log, backend));
    }
  });

  it("are the same objects before the last message, so that they are written once", () => {
    const log: Step[] = [asked("one"), text("first"), asked("two")];
    const [before] = transcript(log);
    log.push(text("second"), asked("three"));
    expect(transcript(log)[0]).toBe(before);
  });

  it("do not change when the log grows", () => {
    const log: Step[] = [asked("one"), call("a"), result("a"), asked("two")];
    const sent = transcript(log);
    const copy = structuredClone(sent);
    log.push(note("context"), text("first"), asked("three"), note("context"));
    transcript(log);
    expect(sent).toEqual(copy);
  });

  it("are those of a log that lost its beginning, though a later message is known", () => {
    const log = TURNS.flat();
    transcript(log);
    const [, ...rest] = log;
    expect(transcript(rest)).toEqual(fresh(rest));
    const summary: Step = { kind: "note", about: "context", text: "what was" };
    expect(transcript([summary, ...rest])).toEqual(fresh([summary, ...rest]));
  });
});
