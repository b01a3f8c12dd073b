// An agent's own code and its model's inputs, at their strangest: each is a failure of its own, never one of the whole task.
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { jsonCopy, wellFormed } from "#shared/text/plain-json.ts";
import { transcript } from "#shared/loop/conversation.ts";
import { defineTool } from "#shared/loop/tool.ts";
import { ECHO, FULL_ACCESS, run, ScriptedModel } from "./scripted.ts";

const ECHO_CALL = { calls: [{ id: "t1", name: "echo", json: '{"text":"x"}' }] };

class Throwing extends Error {
  override get message(): string {
    throw new Error("nested");
  }
  override get name(): string {
    throw new Error("nested");
  }
}

describe.each([
  ["without a prototype", () => Object.create(null) as unknown],
  ["whose message is no text", () => Object.assign(new Error("x"), { message: { code: 5 } })],
  ["that throws when it is looked at", () => new Throwing()],
])("a value %s", (_, make) => {
  const fails = () => {
    throw make();
  };

  it("that a hook throws is the hook's failure, and the tool runs", async () => {
    const hooks = { PreToolUse: [{ hooks: [fails] }], PostToolUse: [{ hooks: [fails] }] };
    const { result, steps } = await run(new ScriptedModel(ECHO_CALL, { text: "ok" }), { hooks });
    expect(result.subtype).toBe("success");
    expect(steps).toContainEqual({ kind: "tool_result", toolUseId: "t1", content: "x", isError: false });
  });

  it("that canUseTool throws is a denial", async () => {
    const permissions = { ...FULL_ACCESS, preset: "custom", allow: [] } as const;
    const more = { permissions: { ...permissions, allow: [] }, canUseTool: fails };
    const { result } = await run(new ScriptedModel(ECHO_CALL, { text: "ok" }), more);
    expect(result).toMatchObject({ subtype: "success", denials: [{ tool_name: "echo" }] });
  });

  it("that a tool throws is a result that says so", async () => {
    const { result, steps } = await run(new ScriptedModel(ECHO_CALL, { text: "ok" }), {
      tools: [{ ...ECHO, run: async () => fails() }],
    });
    expect(result.subtype).toBe("success");
    expect(steps).toContainEqual(expect.objectContaining({ isError: true, content: expect.stringMatching(/./) }));
  });
});

describe("what a tool throws", () => {
  const failing = (thrown: Error) => ({ ...ECHO, run: async () => Promise.reject(thrown) });

  it("is reported with where it was thrown, under the span of the call", async () => {
    const reported: string[] = [];
    const tools = [failing(new RangeError("out of reach"))];
    await run(new ScriptedModel(ECHO_CALL, { text: "ok" }), { tools, report: (failure) => reported.push(failure) });
    expect(reported).toEqual([
      expect.stringMatching(/^The tool echo threw: RangeError: out of reach\n +at .*own-code/),
    ]);
  });

  it("is reported of canUseTool too", async () => {
    const reported: string[] = [];
    const permissions = { ...FULL_ACCESS, preset: "custom", allow: [] } as const;
    const canUseTool = () => {
      throw new RangeError("cannot decide");
    };
    const more = { permissions: { ...permissions, allow: [] }, canUseTool };
    await run(new ScriptedModel(ECHO_CALL, { text: "ok" }), { ...more, report: (failure) => reported.push(failure) });
    expect(reported).toEqual([
      expect.stringMatching(/^The agent's canUseTool threw: RangeError: cannot decide\n +at .*own-code/),
    ]);
  });

  it("is not reported where it was the model that gave it what does not fit", async () => {
    const reported: string[] = [];
    const model = new ScriptedModel({ calls: [{ id: "t1", name: "echo", json: '{"text":1}' }] }, { text: "ok" });
    await run(model, { report: (failure) => reported.push(failure) });
    expect(reported).toEqual([]);
  });

  it("says of a file that is not there that agents have no file system", async () => {
    const missing = Object.assign(new Error("no such file or directory, open 'notes.md'"), { code: "ENOENT" });
    const { steps } = await run(new ScriptedModel(ECHO_CALL, { text: "ok" }), { tools: [failing(missing)] });
    const content = expect.stringMatching(/^no such file .*\nAn agent has no file system/);
    expect(steps).toContainEqual(expect.objectContaining({ kind: "tool_result", isError: true, content }));
  });
});

describe("an input that cannot be kept as it is", () => {
  const pay = defineTool({
    name: "pay",
    description: "Pays",
    input: z.looseObject({}),
    annotations: { readOnly: false, idempotent: false },
    run: () => "paid",
  });

  it.each([
    ["a number that is not finite", '{"n":1e400}'],
    ["one within", '{"deep":[{"n":-1e400}]}'],
    ["a field called __proto__", '{"n":1,"__proto__":{"a":1}}'],
    ["one within", '{"deep":[{"__proto__":1}]}'],
  ])("%s is malformed, asked about or not: the tool does not run, and the model is told", async (_, json) => {
    for (const ask of [[], ["pay"]]) {
      const model = new ScriptedModel({ calls: [{ id: "p", name: "pay", json }] }, { text: "ok" });
      const { result, steps } = await run(model, { tools: [pay], permissions: { ...FULL_ACCESS, ask } });
      expect(result.subtype).toBe("success");
      expect(JSON.stringify(transcript(steps))).toContain("have to be finite, no field is called __proto__");
    }
  });

  it("is none where all of it can be: the copy is the same, with every string well-formed", () => {
    const value = { a: [1, "two", null, true, { b: -0.5 }], constructor: { prototype: 1 } };
    expect(wellFormed(value)).toEqual(value);
    expect(wellFormed({ "\ud83d": ["cut \ud83d"] })).toEqual({ "\ufffd": ["cut \ufffd"] });
  });

  it("is not taken from an agent's own code either", () => {
    expect(() => jsonCopy({ n: Infinity })).toThrow(/Infinity, which is no JSON/);
    expect(() => jsonCopy(JSON.parse('{"__proto__":1}'))).toThrow(/__proto__/);
    expect(jsonCopy({ text: "cut \ud83d" })).toEqual({ text: "cut \ufffd" });
  });
});

it("half a character in what hooks and canUseTool say is mended before it is kept", async () => {
  const say = () => ({
    hookSpecificOutput: { hookEventName: "UserPromptSubmit" as const, additionalContext: "a \ud83d" },
  });
  const model = new ScriptedModel(ECHO_CALL, { text: "ok" });
  const { steps } = await run(model, {
    hooks: { UserPromptSubmit: [{ hooks: [say] }] },
    permissions: { ...FULL_ACCESS, preset: "custom", allow: [] },
    canUseTool: () => ({ behavior: "allow", updatedInput: { text: "b \ud83d" } }),
  });
  expect(JSON.stringify(steps)).not.toMatch(/\\ud83d/i);
  expect(steps).toContainEqual(expect.objectContaining({ kind: "tool_result", content: "b \ufffd" }));
});
