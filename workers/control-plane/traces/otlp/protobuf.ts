// OTLP's protobuf encoding, by the code that opentelemetry-js generated. Converts what differs from OTLP/JSON: ids
// (bytes, hex) and 64-bit numbers (Long, digits).
import root from "@opentelemetry/otlp-transformer/build/src/generated/root.js";
import * as z from "zod";
import { toHex } from "#shared/tracing/trace-context.ts";

interface Writer {
  finish(): Uint8Array<ArrayBuffer>;
}

/** A class that protobuf.js generated. */
interface MessageClass<Message> {
  /** Throws when the bytes are no such message. */
  decode(bytes: Uint8Array): Message;
  encode(message: Message, writer?: Writer): Writer;
  fromObject(object: object): Message;
  toObject(message: Message, options: object): object;
}

interface Context {
  traceId?: Uint8Array | string | null;
  spanId?: Uint8Array | string | null;
}
interface ExportRequest {
  resourceSpans: {
    scopeSpans: { spans: (Context & { parentSpanId?: Uint8Array | string | null; links: Context[] })[] }[];
  }[];
}

function messageClass<Message>() {
  return z.custom<MessageClass<Message>>((value) => typeof value === "function");
}

const Generated = z.object({
  opentelemetry: z.object({
    proto: z.object({
      collector: z.object({
        trace: z.object({
          v1: z.object({
            ExportTraceServiceRequest: messageClass<ExportRequest>(),
            ExportTraceServiceResponse: messageClass<object>(),
          }),
        }),
      }),
    }),
  }),
});
const { ExportTraceServiceRequest, ExportTraceServiceResponse } =
  Generated.parse(root).opentelemetry.proto.collector.trace.v1;

/**
 * The base class of protobuf.js's writer, which writes plain bytes. The writer itself uses Node's `Buffer`, whose
 * workerd version fails for texts of 40 characters and more.
 */
const PlainWriter = plainWriter();

function plainWriter(): new () => Writer {
  let prototype: unknown = ExportTraceServiceResponse.encode({});
  do prototype = Object.getPrototypeOf(prototype);
  while (Object.getPrototypeOf(prototype) !== Object.prototype);
  return z.object({ constructor: z.custom<new () => Writer>() }).parse(prototype).constructor;
}

/** The request in OTLP/JSON form, except that `bytesValue` stays bytes. Throws when the bytes are no such request. */
export function decodeRequest(bytes: Uint8Array): object {
  const request = ExportTraceServiceRequest.decode(bytes);
  for (const { scopeSpans } of request.resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        idsToHex(span);
        if (span.parentSpanId instanceof Uint8Array) span.parentSpanId = toHex(span.parentSpanId);
        span.links.forEach(idsToHex);
      }
    }
  }
  return ExportTraceServiceRequest.toObject(request, { longs: String });
}

function idsToHex(context: Context): void {
  if (context.traceId instanceof Uint8Array) context.traceId = toHex(context.traceId);
  if (context.spanId instanceof Uint8Array) context.spanId = toHex(context.spanId);
}

const Id = z.string().transform(fromHex);
const context = { traceId: Id, spanId: Id };
const Span = z.looseObject({
  ...context,
  parentSpanId: Id.optional(),
  links: z.array(z.looseObject(context)).optional(),
});
const JsonRequest = z.looseObject({
  resourceSpans: z.array(z.looseObject({ scopeSpans: z.array(z.looseObject({ spans: z.array(Span) })) })),
});

/** Encodes stored OTLP/JSON. */
export function encodeRequest(json: string): Uint8Array<ArrayBuffer> {
  const request = JsonRequest.parse(JSON.parse(json));
  return ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromObject(request), new PlainWriter()).finish();
}

export function encodeResponse(response: object): Uint8Array<ArrayBuffer> {
  return ExportTraceServiceResponse.encode(ExportTraceServiceResponse.fromObject(response), new PlainWriter()).finish();
}

/** The response in OTLP/JSON form. Throws when the bytes are no such response. */
export function decodeResponse(bytes: Uint8Array): object {
  return ExportTraceServiceResponse.toObject(ExportTraceServiceResponse.decode(bytes), { longs: String });
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}
