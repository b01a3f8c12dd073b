// The trace store's part of the OpenAPI document, made from the zod schemas that check the requests.
import { queryParameters, ref, responses, schemaOf } from "../openapi-parts.ts";
import { CONTENT_TYPE } from "./export-answer.ts";
import * as wire from "#shared/control-plane/traces.ts";

const ID_PARAMETER = { name: "id", in: "path", required: true, schema: schemaOf(wire.TraceId, "input") };

export const traceSchemas = {
  TraceList: schemaOf(wire.TraceList, "output"),
  TracePage: schemaOf(wire.TracePage, "output"),
  OtlpPage: schemaOf(wire.OtlpPage, "output"),
  Deleted: schemaOf(wire.Deleted, "output"),
  Otlp: {
    type: "object",
    description: "A message of OTLP 1.x, JSON or protobuf: https://opentelemetry.io/docs/specs/otlp/",
  },
};

const OTLP = Object.fromEntries(Object.values(CONTENT_TYPE).map((type) => [type, { schema: ref("Otlp") }]));

export const tracePaths = {
  "/v1/traces": {
    post: {
      summary: "Store spans: the OTLP/HTTP receiver",
      description:
        "An open span has no end; its end is sent later under the same id. The same span may be sent again; a second, different end is refused. At most 8 MiB, packed and unpacked.",
      requestBody: { required: true, content: OTLP },
      responses: {
        "200": { description: "ExportTraceServiceResponse, with what was refused", content: OTLP },
        ...Object.fromEntries(
          [400, 401, 413, 415, 503].map((code) => [String(code), { description: "google.rpc.Status", content: OTLP }]),
        ),
      },
    },
    get: {
      summary: "List traces, newest first",
      parameters: queryParameters(wire.ListQuery, "input"),
      responses: responses(200, "TraceList", [400]),
    },
    delete: {
      summary: "Delete old traces",
      parameters: queryParameters(wire.DeleteQuery, "input"),
      responses: responses(200, "Deleted", [400]),
    },
  },
  "/v1/traces/{id}": {
    parameters: [ID_PARAMETER],
    get: {
      summary: "Show a trace and its spans as columns, in the order in which they changed",
      parameters: queryParameters(wire.PageQuery, "input"),
      responses: responses(200, "TracePage", [400, 404]),
    },
    delete: { summary: "Delete a trace", responses: responses(204, undefined, [400, 404]) },
  },
  "/v1/traces/{id}/otlp": {
    parameters: [ID_PARAMETER],
    get: {
      summary: "Show a trace's spans in OTLP/JSON",
      parameters: queryParameters(wire.PageQuery, "input"),
      responses: responses(200, "OtlpPage", [400, 404]),
    },
  },
};
