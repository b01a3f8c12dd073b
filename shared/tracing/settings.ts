// Names of the variables that configure the trace store: those of OpenTelemetry
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/), and our own. The trace store parses the values.

export const TRACE_SETTINGS = [
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TIMEOUT",
  "OTEL_TRACES_SAMPLER_ARG",
  "TROUPE_TRACES_SLOW",
  "TROUPE_TRACES_COSTLY",
  "TROUPE_TRACES_MAX_AGE",
  "TROUPE_TRACES_MAX_MB",
] as const;

export type TraceSetting = (typeof TRACE_SETTINGS)[number];
