// One span, whole.
import { expect, test } from "vitest";

import { PLAIN_SCREEN } from "../../../../scripts/terminal/screen.ts";
import { drawSpan, plainSpan } from "../../../../scripts/traces/draw/draw-span.ts";
import { OtlpPage } from "../../../../scripts/traces/store/otlp-page.ts";
import { span } from "./made-up.ts";

const attribute = (key: string, value: unknown) => ({ key, value });

const SPAN = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "",
  name: "chat claude",
  kind: 3,
  startTimeUnixNano: "1780000000000000000",
  endTimeUnixNano: "1780000000250000000",
  attributes: [
    attribute("gen_ai.request.model", { stringValue: "claude" }),
    attribute("gen_ai.usage.input_tokens", { intValue: "1200" }),
    attribute("big", { intValue: "9007199254740993" }),
    attribute("troupe.cost.usd", { doubleValue: 0.0059 }),
    attribute("gen_ai.request.stream", { boolValue: true }),
    attribute("gen_ai.response.finish_reasons", { arrayValue: { values: [{ stringValue: "end_turn" }] } }),
    attribute("map", { kvlistValue: { values: [attribute("a", { intValue: 1 })] } }),
    attribute("empty", {}),
    attribute("gen_ai.input.messages", { stringValue: '[{"role":"user"}]' }),
    attribute("text", { stringValue: "two\nlines \u001b[2J" }),
    attribute("cut", { stringValue: '{"a": [cut: 3 of 9 characters left out]' }),
  ],
  events: [
    {
      name: "retry",
      timeUnixNano: "1780000000010000000",
      attributes: [attribute("error.type", { stringValue: "529" })],
    },
    { name: "first chunk", timeUnixNano: "1780000000020000000" },
  ],
  links: [{ traceId: "a".repeat(32), spanId: "b".repeat(16) }],
  status: { code: 2, message: "Overloaded." },
};

function page(span: object) {
  const resource = { attributes: [attribute("service.name", { stringValue: "searcher" })] };
  return OtlpPage.parse({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }], next: null });
}

test("everything that was recorded is shown, JSON laid out, and nothing that moves the cursor", () => {
  const span = plainSpan(page(SPAN));
  if (span === undefined) throw new Error("There is no span");
  expect(drawSpan(span, PLAIN_SCREEN).join("\n")).toMatchInlineSnapshot(`
    "chat claude
      span    00f067aa0ba902b7
      trace   4bf92f3577b34da6a3ce929d0e0e4736
      parent  none
      kind    client
      began   2026-05-28T20:26:40.000Z
      took    250 ms
      status  error: Overloaded.
    attributes
      gen_ai.request.model = claude
      gen_ai.usage.input_tokens = 1200
      big = 9007199254740993
      troupe.cost.usd = 0.0059
      gen_ai.request.stream = true
      gen_ai.response.finish_reasons = ["end_turn"]
      map = {"a":1}
      empty = null
      gen_ai.input.messages =
        [
          {
            "role": "user"
          }
        ]
      text =
        two
        lines  [2J
      cut = {"a": [cut: 3 of 9 characters left out]
    event “retry” after 10 ms
      error.type = 529
    event “first chunk” after 20 ms
    link to span bbbbbbbbbbbbbbbb of trace aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    resource
      service.name = searcher"
  `);
});

test("an open span with nothing else to say is shown as such", () => {
  const span = plainSpan(page({ ...SPAN, endTimeUnixNano: "0", attributes: [], events: [], links: [], status: {} }));
  expect(span).toMatchObject({
    durationUs: null,
    status: "unset",
    parentId: null,
    resource: { "service.name": "searcher" },
  });
});

test("the spans below one are named with their ids, the first twenty of them", () => {
  const shown = plainSpan(page(SPAN));
  if (shown === undefined) throw new Error("There is no span");
  const below = Array.from({ length: 23 }, (_, index) => span(`chat ${index}`, index, 1));
  const lines = drawSpan(shown, PLAIN_SCREEN, below);
  const at = lines.indexOf("below it");
  expect(lines[at + 1]).toBe(`  ${below[0]?.spanId}  coordinator  chat 0`);
  expect(lines.slice(at)).toHaveLength(22);
  expect(lines.at(-1)).toBe("  and 3 more");
});

test("a page without spans has none", () => {
  expect(plainSpan(OtlpPage.parse({ resourceSpans: [], next: null }))).toBeUndefined();
});
