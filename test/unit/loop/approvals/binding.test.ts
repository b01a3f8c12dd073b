import { describe, expect, it } from "vitest";
import { approvalText } from "#shared/loop/approvals/binding.ts";
import { canonical } from "#shared/text/canonical-json.ts";

const parse = (text: string): unknown => JSON.parse(text);

describe("the canonical text of JSON", () => {
  it.each([
    ['{"b":1,"a":[true,null,"x"]}', '{ "a": [true, null, "x"], "b": 1.0 }'],
    ['{"a":{"d":1,"c":2}}', '{"a":{"c":2,"d":1}}'],
    ['{"a":"\\u0041\\n"}', '{"a":"A\\n"}'],
    ["1e2", "100"],
    ["-0", "0"],
  ])("is one for %s and %s", (one, other) => expect(canonical(parse(one))).toBe(canonical(parse(other))));

  it.each([
    ['"1"', "1"],
    ['"true"', "true"],
    ['"null"', "null"],
    ["[]", "{}"],
    ["[1,2]", "[2,1]"],
    ["[[1],2]", "[1,[2]]"],
    ['["a","b"]', '["a,b"]'],
    ['["a\\",\\"b"]', '["a","b"]'],
    ['{"a":"b"}', '{"a":{"b":null}}'],
    ['{"a":1}', '{"a":1,"b":null}'],
    ['{"a":1,"b":2}', '{"a":2,"b":1}'],
    ['{"__proto__":1}', "{}"],
    ["0.1", "0.10000000000000002"],
    ['"é"', '"e\\u0301"'],
    ['"a"', '"a "'],
    ['"\\ud800"', '"\\udc00"'],
    ['""', "null"],
  ])("is another for %s and %s", (one, other) => expect(canonical(parse(one))).not.toBe(canonical(parse(other))));

  it("can be read back as the same JSON", () => {
    const value = parse('{"z":[1.5,"\\u2028",{"k":"v","a":null}],"y":false,"__proto__":3}');
    expect(parse(canonical(value))).toEqual(value);
  });

  it("is that of what is stored: a field that is undefined is none", () => {
    expect(canonical({ a: 1, b: undefined })).toBe('{"a":1}');
  });

  it.each([
    ["a function", () => undefined],
    ["NaN", Number.NaN],
    ["a bigint", 1n],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a hole", [undefined]],
  ])("does not exist for %s, which JSON cannot hold", (_, value) => {
    expect(() => canonical({ value })).toThrow(TypeError);
  });
});

describe("what an approval is bound to", () => {
  const bound = { taskId: "c.1.mac", toolUseId: "t1", agent: "mailer", tool: "send_mail", input: { to: "a", n: 1 } };

  it("is the same for the same call, whatever the order of its fields", () => {
    expect(approvalText({ ...bound, input: { n: 1, to: "a" } })).toBe(approvalText(bound));
  });

  it.each([
    ["the task", { taskId: "c.2.mac" }],
    ["the call", { toolUseId: "t2" }],
    ["the agent", { agent: "mailes" }],
    ["the tool", { tool: "send_mails" }],
    ["one byte of the input", { input: { to: "b", n: 1 } }],
    ["the type of a value", { input: { to: "a", n: "1" } }],
    ["a field more", { input: { to: "a", n: 1, cc: "b" } }],
    ["a field less", { input: { to: "a" } }],
  ])("is another with a change of %s", (_, change) => {
    expect(approvalText({ ...bound, ...change })).not.toBe(approvalText(bound));
  });

  it("is another where text moves from one part to the next", () => {
    const one = approvalText({ ...bound, agent: 'a","b', tool: "c" });
    expect(one).not.toBe(approvalText({ ...bound, agent: "a", tool: 'b","c' }));
  });
});
