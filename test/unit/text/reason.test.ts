import { describe, expect, it } from "vitest";
import { reasonOf, stackOf } from "#shared/text/reason.ts";

class Throwing extends Error {
  override get message(): string {
    throw new Error("nested");
  }
  override get stack(): string {
    throw new Error("nested");
  }
}
const throwing = () => {
  throw new Error("nested");
};
const unreadable = new Proxy({}, { get: throwing, getPrototypeOf: throwing });
const NOTHING = "something was thrown that says nothing";

describe("whatever is thrown", () => {
  it.each<[string, unknown, string]>([
    ["an error", new Error("broken"), "broken"],
    ["a text", "broken", "broken"],
    ["an object", { code: 5 }, '{"code":5}'],
    ["an error whose message is no text", Object.assign(new Error("x"), { message: { code: 5 } }), '{"code":5}'],
    ["an error without a message", new TypeError(""), "TypeError"],
    ["an empty text", "", NOTHING],
    ["an object without a prototype", Object.create(null), "{}"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["nothing", undefined, "undefined"],
    ["half a character", "cut \ud83d", "cut \ufffd"],
    ["an error whose message throws", new Throwing(), NOTHING],
    ["an object that throws when it is looked at", unreadable, NOTHING],
  ])("%s has a reason in words", (_, thrown, reason) => {
    expect(reasonOf(thrown)).toBe(reason);
  });

  it("has a stack where it has one, else its reason", () => {
    expect(stackOf(new Error("broken"))).toMatch(/^Error: broken\n +at /);
    expect([stackOf("broken"), stackOf(new Throwing()), stackOf(unreadable)]).toEqual(["broken", NOTHING, NOTHING]);
  });
});
