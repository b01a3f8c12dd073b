// Reads an ExportTraceServiceRequest in OTLP/JSON form. A malformed body is refused; a span without ids or start is
// refused alone; other malformed parts are left out of their span. Pure.
import { RESOURCE } from "#shared/tracing/names.ts";
import { scalarOf } from "#shared/tracing/otlp.ts";
import {
  Fault,
  fields,
  id,
  isFields,
  list,
  nano,
  excerpt,
  readOptional,
  readAttributes,
  readItems,
  text,
  uint32,
  type Fields,
} from "./fields.ts";
import { recordOf, toUs, type CheckedSpan, type Source, type SpanBatch, type SpanRecord } from "./span-record.ts";
import { Rejections } from "./rejections.ts";

/** A row may have 2 MB, and a character takes up to three bytes. */
const MAX_SPAN_CHARACTERS = 600_000;
const MAX_SOURCE_CHARACTERS = 64 * 1024;
/** Of all resources and scopes of one request. A resource counts once for each of its scopes. */
const MAX_SOURCES_CHARACTERS = 8_000_000;
/** Clocks differ; a start further ahead is wrong, and would keep the trace on top of every list. */
const MAX_AHEAD_US = 3600 * 1e6;
/** A start further back is wrong too, and would get the whole trace deleted as old. */
const MAX_BEHIND_US = 30 * 86_400 * 1e6;
/** A request with more wrong spans is refused as a whole. */
const MAX_REJECTED = 1000;

export type ReadExport =
  | { readonly ok: true; readonly batch: SpanBatch; readonly rejected: Rejections }
  | { readonly ok: false; readonly message: string };

/** `now` in milliseconds since the epoch. With `agent`, spans of others than this agent are refused one by one. */
export function readExport(body: unknown, now: number, agent?: string): ReadExport {
  const batch = { sources: [] as Source[], spans: [] as SpanRecord[] };
  const rejected = new Rejections();
  let sourceCharacters = 0;
  try {
    for (const item of list(spansIn(fields(body, "the body")), "resourceSpans")) {
      const resourceSpans = fields(item, "each of resourceSpans");
      const resource = readResource(resourceSpans, rejected);
      for (const item of list(resourceSpans["scopeSpans"], "scopeSpans")) {
        const scopeSpans = fields(item, "each of scopeSpans");
        const spans = list(scopeSpans["spans"], "spans");
        if (spans.length === 0) continue;
        if (agent !== undefined && resource.agent !== agent) {
          const reason = `the agent ${agent} may not speak for ${excerpt(resource.agent)}, as its resource's service.name does`;
          for (const span of spans) refuse(span, reason, rejected);
          continue;
        }
        const scope = readScope(scopeSpans, rejected);
        sourceCharacters += resource.resource.length + scope.length;
        if (sourceCharacters > MAX_SOURCES_CHARACTERS) {
          throw new Fault(`its resources and scopes have more than ${MAX_SOURCES_CHARACTERS} characters`);
        }
        batch.sources.push({ ...resource, scope });
        for (const span of spans) {
          readSpan(span, batch, rejected, now);
        }
      }
    }
    return { ok: true, batch, rejected };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ok: false, message: `This is no ExportTraceServiceRequest: ${error.message}.` };
  }
}

/** An empty object is a request without spans; an object with other fields only is no request. */
function spansIn(body: Fields): unknown {
  const [other] = Object.keys(body);
  if (other === undefined || "resourceSpans" in body) return body["resourceSpans"];
  throw new Fault(`it has no resourceSpans, but ${excerpt(other)}`);
}

function readResource(resourceSpans: Fields, rejected: Rejections): Omit<Source, "scope"> {
  const { resource = {}, schemaUrl } = resourceSpans;
  const raw = fields(resource ?? {}, "resource");
  const onLoss = (reason: string) => rejected.addLoss("the resource", reason);
  const { items: known, dropped } = readAttributes(raw["attributes"], "the resource's attributes", onLoss);
  const name = (key: string) => String(scalarOf(known, key) ?? "").slice(0, 200);
  return {
    resource: sourceJson({
      resource: {
        attributes: known,
        droppedAttributesCount: droppedOf(raw, "droppedAttributesCount", dropped, onLoss),
      },
      schemaUrl: readOptional(() => text(schemaUrl, "schemaUrl"), onLoss, undefined),
    }),
    agent: name(RESOURCE.serviceName),
    instance: name(RESOURCE.serviceInstance),
  };
}

function readScope(scopeSpans: Fields, rejected: Rejections): string {
  const { scope, schemaUrl } = scopeSpans;
  const onLoss = (reason: string) => rejected.addLoss("the scope", reason);
  const raw =
    scope === undefined || scope === null ? undefined : readOptional(() => fields(scope, "scope"), onLoss, undefined);
  const own = raw && readAttributes(raw["attributes"], "the scope's attributes", onLoss);
  const known = raw && {
    name: readOptional(() => text(raw["name"], "the scope's name"), onLoss, undefined),
    version: readOptional(() => text(raw["version"], "the scope's version"), onLoss, undefined),
    attributes: raw["attributes"] === undefined ? undefined : own?.items,
    droppedAttributesCount: droppedOf(raw, "droppedAttributesCount", own?.dropped ?? 0, onLoss),
  };
  return sourceJson({ scope: known, schemaUrl: readOptional(() => text(schemaUrl, "schemaUrl"), onLoss, undefined) });
}

/** The number of items that the sender dropped and that were dropped here; undefined for 0. */
function droppedOf(raw: Fields, count: string, here: number, onLoss: (reason: string) => void): number | undefined {
  return (readOptional(() => uint32(raw[count], count), onLoss, undefined) ?? 0) + here || undefined;
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
    const span = fields(raw, "a span");
    const onLoss = (reason: string) => rejected.addLoss(`span ${excerpt(span["spanId"])}`, reason);
    const record = recordOf(checkSpan(span, now, onLoss), batch.sources.length - 1);
    const { length } = record.json;
    if (length > MAX_SPAN_CHARACTERS)
      throw new Fault(`it has ${length} characters; at most ${MAX_SPAN_CHARACTERS} are taken`);
    batch.spans.push(record);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    refuse(raw, error.message, rejected);
  }
}

function refuse(span: unknown, reason: string, rejected: Rejections): void {
  rejected.add(isFields(span) ? span["spanId"] : undefined, reason);
  if (rejected.count <= MAX_REJECTED) return;
  throw new Fault(`more than ${MAX_REJECTED} of its spans are wrong, such as ${rejected.reasons[0] ?? ""}`);
}

type OnLoss = (reason: string) => void;

function checkSpan(raw: Fields, now: number, onLoss: OnLoss): CheckedSpan {
  const startTimeUnixNano = nano(raw["startTimeUnixNano"], "startTimeUnixNano");
  if (startTimeUnixNano === "0") throw new Fault("it has no startTimeUnixNano");
  if (isAhead(startTimeUnixNano, now))
    throw new Fault(`it starts more than an hour from now: ${startTimeUnixNano}. Check the sender's clock`);
  if (toUs(startTimeUnixNano) < now * 1000 - MAX_BEHIND_US)
    throw new Fault(`it starts more than 30 days ago: ${startTimeUnixNano}. Check the sender's clock`);
  const [traceId, spanId] = [id(raw["traceId"], 32, "traceId"), id(raw["spanId"], 16, "spanId")];
  const known = readAttributes(raw["attributes"], "attributes", onLoss);
  const events = readItems(raw["events"], "events", (item) => checkEvent(item, onLoss), onLoss);
  const links = readItems(raw["links"], "links", (item) => checkLink(item, onLoss), onLoss);
  return {
    traceId,
    spanId,
    traceState: readOptional(() => text(raw["traceState"], "traceState"), onLoss, undefined),
    parentSpanId: readOptional(() => optionalId(raw["parentSpanId"]), onLoss, undefined),
    flags: readOptional(() => uint32(raw["flags"], "flags"), onLoss, undefined),
    name: readOptional(() => text(raw["name"], "name"), onLoss, undefined) ?? "",
    kind: readOptional(() => enumOf(raw["kind"], "kind", 5), onLoss, 0),
    startTimeUnixNano,
    endTimeUnixNano: readOptional(
      () => endOf(raw["endTimeUnixNano"], startTimeUnixNano, now),
      onLoss,
      startTimeUnixNano,
    ),
    attributes: known.items,
    droppedAttributesCount: droppedOf(raw, "droppedAttributesCount", known.dropped, onLoss),
    events: nonEmpty(events.items),
    droppedEventsCount: droppedOf(raw, "droppedEventsCount", events.dropped, onLoss),
    links: nonEmpty(links.items),
    droppedLinksCount: droppedOf(raw, "droppedLinksCount", links.dropped, onLoss),
    status: readOptional(() => checkStatus(raw["status"]), onLoss, undefined),
  };
}

/** "0" for an open span. Throws Fault for an impossible end; the caller then uses the start. */
function endOf(value: unknown, start: string, now: number): string {
  const end = nano(value, "endTimeUnixNano");
  if (end !== "0" && isBefore(end, start)) throw new Fault(`it ends before it starts: ${end} is before ${start}`);
  if (isAhead(end, now)) throw new Fault(`it ends more than an hour from now: ${end}. Check the sender's clock`);
  return end;
}

function isAhead(time: string, now: number): boolean {
  return toUs(time) > now * 1000 + MAX_AHEAD_US;
}

function checkEvent(value: unknown, onLoss: OnLoss): object {
  const raw = fields(value, "each of events");
  const known = readAttributes(raw["attributes"], "an event's attributes", onLoss);
  return {
    timeUnixNano: nano(raw["timeUnixNano"], "an event's timeUnixNano"),
    name: text(raw["name"], "an event's name") ?? "",
    attributes: known.items,
    droppedAttributesCount: droppedOf(raw, "droppedAttributesCount", known.dropped, onLoss),
  };
}

function checkLink(value: unknown, onLoss: OnLoss): object {
  const raw = fields(value, "each of links");
  const known = readAttributes(raw["attributes"], "a link's attributes", onLoss);
  return {
    traceId: id(raw["traceId"], 32, "a link's traceId"),
    spanId: id(raw["spanId"], 16, "a link's spanId"),
    traceState: readOptional(() => text(raw["traceState"], "a link's traceState"), onLoss, undefined),
    attributes: known.items,
    droppedAttributesCount: droppedOf(raw, "droppedAttributesCount", known.dropped, onLoss),
    flags: readOptional(() => uint32(raw["flags"], "a link's flags"), onLoss, undefined),
  };
}

function checkStatus(value: unknown): CheckedSpan["status"] {
  if (value === undefined || value === null) return undefined;
  const raw = fields(value, "status");
  const code = enumOf(raw["code"], "status.code", 2);
  const message = text(raw["message"], "status.message");
  return code === 0 && message === undefined ? undefined : { message, code };
}

/** Undefined for no parent, which senders write as "" or as zeros. */
function optionalId(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "" || value === "0000000000000000") return undefined;
  return id(value, 16, "parentSpanId");
}

function enumOf(value: unknown, what: string, max: number): number {
  const number = uint32(value, what) ?? 0;
  if (number > max) throw new Fault(`${what} must be one of 0 to ${max}, not ${excerpt(value)}`);
  return number;
}

function nonEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

/** Compares numbers written as digits without leading zeros. */
function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
