// Reads an ExportTraceServiceRequest in OTLP/JSON form. What is wrong with the body as a whole refuses it; a span that is wrong
// is refused alone. Pure: the time comes in, records go out.
import { RESOURCE } from "#shared/tracing/names.ts";
import { scalarOf } from "#shared/tracing/otlp.ts";
import { attributes, Fault, fields, id, isFields, list, nano, shown, text, uint32, type Fields } from "./fields.ts";
import { recordOf, toUs, type CheckedSpan, type Source, type SpanBatch, type SpanRecord } from "./span-record.ts";
import { Rejections } from "./rejections.ts";

/** An object's row may have 2 MB, columns included, and a character up to three bytes. */
const MAX_SPAN_CHARACTERS = 600_000;
const MAX_SOURCE_CHARACTERS = 64 * 1024;
/** Of all resources and scopes of one request, which may repeat one resource for each of its scopes. */
const MAX_SOURCES_CHARACTERS = 8_000_000;
/** Clocks differ; a span from further ahead has a wrong time, and would stay on top of every list. */
const MAX_AHEAD_US = 3600 * 1e6;
/** One from further back has a wrong time too, and would take its whole trace along when old ones are deleted. */
const MAX_BEHIND_US = 30 * 86_400 * 1e6;
/** A request with more wrong spans than this is wrong as a whole. */
const MAX_REJECTED = 1000;

export type ReadExport =
  | { readonly ok: true; readonly batch: SpanBatch; readonly rejected: Rejections }
  | { readonly ok: false; readonly message: string };

/** `now` in milliseconds since the epoch. */
export function readExport(body: unknown, now: number): ReadExport {
  const batch = { sources: [] as Source[], spans: [] as SpanRecord[] };
  const rejected = new Rejections();
  let sourceCharacters = 0;
  try {
    for (const item of list(fields(body, "the body")["resourceSpans"], "resourceSpans")) {
      const resourceSpans = fields(item, "each of resourceSpans");
      const resource = readResource(resourceSpans);
      for (const item of list(resourceSpans["scopeSpans"], "scopeSpans")) {
        const scopeSpans = fields(item, "each of scopeSpans");
        const spans = list(scopeSpans["spans"], "spans");
        if (spans.length === 0) continue;
        const scope = readScope(scopeSpans);
        sourceCharacters += resource.resource.length + scope.length;
        if (sourceCharacters > MAX_SOURCES_CHARACTERS) {
          throw new Fault(`its resources and scopes have more than ${MAX_SOURCES_CHARACTERS} characters`);
        }
        batch.sources.push({ ...resource, scope });
        for (const span of spans) {
          readSpan(span, batch, rejected, now);
          if (rejected.count > MAX_REJECTED) {
            throw new Fault(`more than ${MAX_REJECTED} of its spans are wrong, such as ${rejected.reasons[0] ?? ""}`);
          }
        }
      }
    }
    return { ok: true, batch, rejected };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ok: false, message: `This is no ExportTraceServiceRequest: ${error.message}.` };
  }
}

function readResource(resourceSpans: Fields): Omit<Source, "scope"> {
  const { resource = {}, schemaUrl } = resourceSpans;
  const raw = fields(resource ?? {}, "resource");
  const known = attributes(raw["attributes"], "the resource's attributes");
  const name = (key: string) => String(scalarOf(known, key) ?? "").slice(0, 200);
  const dropped = uint32(raw["droppedAttributesCount"], "droppedAttributesCount");
  return {
    resource: sourceJson({
      resource: { attributes: known, droppedAttributesCount: dropped },
      schemaUrl: text(schemaUrl, "schemaUrl"),
    }),
    agent: name(RESOURCE.serviceName),
    instance: name(RESOURCE.serviceInstance),
  };
}

function readScope(scopeSpans: Fields): string {
  const { scope, schemaUrl } = scopeSpans;
  const raw = scope === undefined || scope === null ? undefined : fields(scope, "scope");
  const known = raw && {
    name: text(raw["name"], "the scope's name"),
    version: text(raw["version"], "the scope's version"),
    attributes: raw["attributes"] === undefined ? undefined : attributes(raw["attributes"], "the scope's attributes"),
    droppedAttributesCount: uint32(raw["droppedAttributesCount"], "droppedAttributesCount"),
  };
  return sourceJson({ scope: known, schemaUrl: text(schemaUrl, "schemaUrl") });
}

function sourceJson(value: object): string {
  const json = JSON.stringify(value);
  if (json.length <= MAX_SOURCE_CHARACTERS) return json;
  throw new Fault(`a resource or scope has ${json.length} characters; at most ${MAX_SOURCE_CHARACTERS} are taken`);
}

function readSpan(
  raw: unknown,
  batch: { readonly sources: readonly Source[]; readonly spans: SpanRecord[] },
  rejected: Rejections,
  now: number,
): void {
  try {
    const record = recordOf(checkSpan(fields(raw, "a span"), now), batch.sources.length - 1);
    const { length } = record.json;
    if (length > MAX_SPAN_CHARACTERS)
      throw new Fault(`it has ${length} characters; at most ${MAX_SPAN_CHARACTERS} are taken`);
    batch.spans.push(record);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    rejected.add(isFields(raw) ? raw["spanId"] : undefined, error.message);
  }
}

function checkSpan(raw: Fields, now: number): CheckedSpan {
  const startTimeUnixNano = nano(raw["startTimeUnixNano"], "startTimeUnixNano");
  const endTimeUnixNano = nano(raw["endTimeUnixNano"], "endTimeUnixNano");
  if (startTimeUnixNano === "0") throw new Fault("it has no startTimeUnixNano");
  if (endTimeUnixNano !== "0" && isBefore(endTimeUnixNano, startTimeUnixNano)) {
    throw new Fault(`it ends before it starts: ${endTimeUnixNano} is before ${startTimeUnixNano}`);
  }
  for (const [does, time] of [["starts", startTimeUnixNano] as const, ["ends", endTimeUnixNano] as const]) {
    if (toUs(time) > now * 1000 + MAX_AHEAD_US) {
      throw new Fault(`it ${does} more than an hour from now: ${time}. Check the sender's clock`);
    }
  }
  if (toUs(startTimeUnixNano) < now * 1000 - MAX_BEHIND_US) {
    throw new Fault(`it starts more than 30 days ago: ${startTimeUnixNano}. Check the sender's clock`);
  }
  return {
    traceId: id(raw["traceId"], 32, "traceId"),
    spanId: id(raw["spanId"], 16, "spanId"),
    traceState: text(raw["traceState"], "traceState"),
    parentSpanId: optionalId(raw["parentSpanId"]),
    flags: uint32(raw["flags"], "flags"),
    name: text(raw["name"], "name") ?? "",
    kind: enumOf(raw["kind"], "kind", 5),
    startTimeUnixNano,
    endTimeUnixNano,
    attributes: attributes(raw["attributes"], "attributes"),
    droppedAttributesCount: uint32(raw["droppedAttributesCount"], "droppedAttributesCount"),
    events: someOf(list(raw["events"], "events").map(checkEvent)),
    droppedEventsCount: uint32(raw["droppedEventsCount"], "droppedEventsCount"),
    links: someOf(list(raw["links"], "links").map(checkLink)),
    droppedLinksCount: uint32(raw["droppedLinksCount"], "droppedLinksCount"),
    status: checkStatus(raw["status"]),
  };
}

function checkEvent(value: unknown): object {
  const raw = fields(value, "each of events");
  return {
    timeUnixNano: nano(raw["timeUnixNano"], "an event's timeUnixNano"),
    name: text(raw["name"], "an event's name") ?? "",
    attributes: attributes(raw["attributes"], "an event's attributes"),
    droppedAttributesCount: uint32(raw["droppedAttributesCount"], "droppedAttributesCount"),
  };
}

function checkLink(value: unknown): object {
  const raw = fields(value, "each of links");
  return {
    traceId: id(raw["traceId"], 32, "a link's traceId"),
    spanId: id(raw["spanId"], 16, "a link's spanId"),
    traceState: text(raw["traceState"], "a link's traceState"),
    attributes: attributes(raw["attributes"], "a link's attributes"),
    droppedAttributesCount: uint32(raw["droppedAttributesCount"], "droppedAttributesCount"),
    flags: uint32(raw["flags"], "a link's flags"),
  };
}

function checkStatus(value: unknown): CheckedSpan["status"] {
  if (value === undefined || value === null) return undefined;
  const raw = fields(value, "status");
  const code = enumOf(raw["code"], "status.code", 2);
  const message = text(raw["message"], "status.message");
  return code === 0 && message === undefined ? undefined : { message, code };
}

/** Senders write no parent as "", and some as zeros. */
function optionalId(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "" || value === "0000000000000000") return undefined;
  return id(value, 16, "parentSpanId");
}

function enumOf(value: unknown, what: string, max: number): number {
  const number = uint32(value, what) ?? 0;
  if (number > max) throw new Fault(`${what} must be one of 0 to ${max}, not ${shown(value)}`);
  return number;
}

function someOf<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

/** Of numbers in digits, without leading zeros. */
function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
