// Reads the trace store's settings from environment variables. Pure.
import * as z from "zod";
import { checkedDurationMs, DURATION_PATTERN } from "#shared/text/duration.ts";
import { TRACE_SETTINGS, type TraceSetting } from "#shared/tracing/settings.ts";

export interface Settings {
  /** Absent: traces are not forwarded. */
  readonly collector?: CollectorSettings;
  /** Share of ordinary traces that is forwarded. Traces with errors, slow and costly ones always are. */
  readonly share: number;
  readonly slowMs: number;
  readonly costlyUsd: number;
  readonly maxAgeMs: number;
  /** Of all objects of a job together. */
  readonly maxBytes: number;
}

export interface CollectorSettings {
  readonly url: string;
  readonly protocol: "http/json" | "http/protobuf";
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly timeoutMs: number;
}

const Duration = z
  .string()
  .regex(DURATION_PATTERN, "must be a duration such as 30s or 7d")
  .transform(checkedDurationMs);
const Url = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });
const Protocol = z.enum(["http/json", "http/protobuf"], {
  error: "must be http/json or http/protobuf; gRPC is not spoken",
});
const amount = z.coerce.number({ error: "must be a number" });
const HeaderList = z.string().transform((text, context) => {
  const entries = text.split(",").filter((entry) => entry.trim() !== "");
  const headers = entries.map(readHeader);
  const wrong = headers.indexOf(undefined);
  if (wrong === -1) return headers.filter((header) => header !== undefined);
  // The entry itself is a secret.
  context.addIssue(`must be name=value,name2=value2 with percent-encoded values; entry ${wrong + 1} is not`);
  return z.NEVER;
});

const VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: Url,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Url,
  OTEL_EXPORTER_OTLP_HEADERS: HeaderList,
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: HeaderList,
  OTEL_EXPORTER_OTLP_PROTOCOL: Protocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Protocol,
  OTEL_EXPORTER_OTLP_TIMEOUT: amount.min(1).max(60_000),
  OTEL_TRACES_SAMPLER_ARG: amount.min(0).max(1),
  TROUPE_TRACES_SLOW: Duration,
  TROUPE_TRACES_COSTLY: amount.min(0),
  TROUPE_TRACES_MAX_AGE: Duration,
  TROUPE_TRACES_MAX_MB: amount.min(1),
} as const satisfies Record<TraceSetting, z.ZodType>;

export type SettingVariables = { readonly [Name in TraceSetting]?: string };

const Variables = z.object(VARIABLES).partial();
type Variables = z.output<typeof Variables>;

/** `mistakes` has one sentence for each variable that is wrong and ignored. */
export function readSettings(env: SettingVariables): { settings: Settings; mistakes: string[] } {
  const values: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const name of TRACE_SETTINGS) {
    const text = env[name];
    if (!text) continue;
    const parsed = VARIABLES[name].safeParse(text);
    if (parsed.success) values[name] = text;
    else mistakes.push(`${name} ${parsed.error.issues[0]?.message ?? "is wrong"}; it is not used.`);
  }
  return { settings: toSettings(Variables.parse(values)), mistakes };
}

function toSettings(values: Variables): Settings {
  const url = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? tracesUrlUnder(values.OTEL_EXPORTER_OTLP_ENDPOINT);
  const headers = new Map([
    ...(values.OTEL_EXPORTER_OTLP_HEADERS ?? []),
    ...(values.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? []),
  ]);
  const protocol = values.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? values.OTEL_EXPORTER_OTLP_PROTOCOL ?? "http/protobuf";
  const collector = url && {
    url,
    protocol,
    headers: [...headers],
    timeoutMs: values.OTEL_EXPORTER_OTLP_TIMEOUT ?? 10_000,
  };
  return {
    ...(collector ? { collector } : {}),
    share: values.OTEL_TRACES_SAMPLER_ARG ?? 1,
    slowMs: values.TROUPE_TRACES_SLOW ?? 30_000,
    costlyUsd: values.TROUPE_TRACES_COSTLY ?? 0.1,
    maxAgeMs: values.TROUPE_TRACES_MAX_AGE ?? 7 * 86_400_000,
    maxBytes: (values.TROUPE_TRACES_MAX_MB ?? 1024) * 1024 * 1024,
  };
}

function tracesUrlUnder(endpoint: string | undefined): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, "")}/v1/traces`;
}

function readHeader(entry: string): [name: string, value: string] | undefined {
  const equals = entry.indexOf("=");
  if (equals < 1) return undefined;
  try {
    // Headers checks name and value, and lowers the name's case.
    return [...new Headers([[entry.slice(0, equals).trim(), decodeURIComponent(entry.slice(equals + 1).trim())]])][0];
  } catch {
    return undefined; // The caller reports which entry.
  }
}
