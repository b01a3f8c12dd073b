// Which events of a stream are taken, and what is said of the others.
import { describe, expect, it } from "vitest";
import { knownEvents } from "#shared/models/stream-event.ts";

const taken = (...events: unknown[]) => [
  ...knownEvents(
    events.map((event) => ({ name: "", data: JSON.stringify(event) })),
    new Headers(),
  ),
];
const delta = (of: unknown) => ({ type: "content_block_delta", index: 0, delta: of });
const begun = (block: unknown) => ({ type: "content_block_start", index: 0, content_block: block });
const start = (message: unknown) => ({ type: "message_start", message });
const MOST = "n".repeat(256);

describe("an event", () => {
  it.each<[unknown]>([
    [start({ id: MOST, model: MOST, content: [] })],
    [begun({ type: "text", text: "" })],
    [begun({ type: "text", text: null })],
    [begun({ type: "text" })],
    [begun({ type: "tool_use", id: "t", name: MOST, input: {} })],
    [begun({ type: "tool_use", id: null, name: "" })],
    [begun({ type: "toString", more: 1 })],
    [delta({ type: "text_delta", text: "" })],
    [delta({ type: "thinking_delta", thinking: "hm" })],
    [delta({ type: "signature_delta", signature: "s" })],
    [delta({ type: "input_json_delta", partial_json: "{" })],
    [delta({ type: "from_the_future" })],
    [{ ...delta({ type: "text_delta", text: "" }), index: Number.MAX_SAFE_INTEGER }],
    [{ type: "content_block_stop", index: 3 }],
    [{ type: "message_delta", delta: {}, usage: {} }],
    [{ type: "message_stop" }],
  ])("%j is taken as it is", (event) => {
    expect(taken(event)).toEqual([event]);
  });

  it.each<[unknown]>([[{ type: "ping" }], [{ type: "from_the_future", index: "x" }], [{ type: "constructor" }]])(
    "%j is nothing to anybody here",
    (event) => {
      expect(taken(event)).toEqual([]);
    },
  );

  it.each<[unknown]>([[null], [5], ["message_stop"], [[]], [{}], [{ type: 5 }]])("%j has no type", (event) => {
    expect(() => taken(event)).toThrow("The model sent an event that has no type.");
  });

  it.each<[unknown, string]>([
    [start(undefined), "message"],
    [start({ id: 1, model: "m" }), "message.id"],
    [start({ id: "m", model: `${MOST}n` }), "message.model"],
    [begun(undefined), "content_block"],
    [begun([]), "content_block"],
    [begun({}), "content_block.type"],
    [begun({ type: "text", text: 5 }), "text"],
    [begun({ type: "tool_use", id: 5, name: "n" }), "id"],
    [begun({ type: "tool_use", id: "t" }), "name"],
    [begun({ type: "tool_use", id: "t", name: `${MOST}n` }), "name"],
    [{ ...begun({ type: "text" }), index: -1 }, "index"],
    [delta(null), "delta"],
    [delta({}), "delta.type"],
    [delta({ type: "text_delta" }), "text"],
    [delta({ type: "thinking_delta", thinking: null }), "thinking"],
    [delta({ type: "signature_delta", signature: 1 }), "signature"],
    [delta({ type: "input_json_delta", partial_json: {} }), "partial_json"],
    [{ ...delta({ type: "text_delta", text: "" }), index: 0.5 }, "index"],
    [{ ...delta({ type: "text_delta", text: "" }), index: 2 ** 53 }, "index"],
    [{ type: "content_block_stop" }, "index"],
    [{ type: "content_block_stop", index: "0" }, "index"],
    [{ type: "message_delta" }, "delta"],
    [{ type: "message_delta", delta: [] }, "delta"],
  ])("%j is malformed, and its field is named", (event, field) => {
    expect(() => taken(event)).toThrow(
      new RegExp(`^The model sent a malformed event [a-z_]+: ✖ [^]*→ at ${field}$`, "m"),
    );
  });

  it("counts although a later one of its chunk is broken", () => {
    const events = knownEvents(
      [
        { name: "", data: '{"type":"message_stop"}' },
        { name: "", data: "{oops" },
      ],
      new Headers(),
    );
    expect(events.next().value).toEqual({ type: "message_stop" });
    expect(() => events.next()).toThrow("no type");
  });
});
