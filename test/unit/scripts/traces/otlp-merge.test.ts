// Pages of OTLP become one document.
import { expect, test } from "vitest";

import { OtlpDocument } from "../../../../scripts/traces/store/otlp-merge.ts";
import { OtlpPage } from "../../../../scripts/traces/store/otlp-page.ts";

const string = (key: string, text: string) => ({ key, value: { stringValue: text } });
const [NAME, JOB] = [string("service.name", "searcher"), string("service.namespace", "research")];

function page(attributes: readonly object[], scope: object, spans: readonly object[]) {
  return OtlpPage.parse({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans }] }], next: null });
}

const span = (spanId: string, endTimeUnixNano: string) => ({
  traceId: "t",
  spanId,
  startTimeUnixNano: "1",
  endTimeUnixNano,
});

test("the same resource and scope stand once, whatever the order of attributes", () => {
  const document = new OtlpDocument();
  document.add(page([NAME, JOB], { name: "troupe" }, [span("a", "2")]));
  document.add(page([JOB, NAME], { name: "troupe" }, [span("b", "2")]));
  document.add(page([JOB, NAME], { name: "other" }, [span("c", "2")]));
  document.add(page([string("service.name", "coordinator")], { name: "troupe" }, [span("d", "2")]));
  const ids = document.resourceSpans.map(({ scopeSpans }) => scopeSpans.map(({ spans }) => spans.map((s) => s.spanId)));
  expect(ids).toEqual([[["a", "b"], ["c"]], [["d"]]]);
});

test("a span that has changed between two pages stands as it was last", () => {
  const document = new OtlpDocument();
  document.add(page([NAME], {}, [span("a", "0"), span("b", "2")]));
  document.add(page([NAME], {}, [span("a", "5")]));
  const spans = document.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  expect(spans.map(({ spanId, endTimeUnixNano }) => [spanId, endTimeUnixNano])).toEqual([
    ["a", "5"],
    ["b", "2"],
  ]);
});

test("fields that are not read here pass through", () => {
  const document = new OtlpDocument();
  document.add(page([NAME], { name: "x", version: "1" }, [{ ...span("a", "2"), traceState: "k=v", flags: 257 }]));
  expect(document.resourceSpans[0]?.scopeSpans[0]).toMatchObject({
    scope: { name: "x", version: "1" },
    spans: [{ traceState: "k=v", flags: 257 }],
  });
});
