import { expect, test } from "vitest";
import { readSettings } from "../../../workers/control-plane/traces/forward/settings.ts";

test("without variables nothing is forwarded, and traces are kept a week, up to a gigabyte", () => {
  expect(readSettings({})).toEqual({
    settings: { share: 1, slowMs: 30_000, costlyUsd: 0.1, maxAgeMs: 7 * 86_400_000, maxBytes: 1024 ** 3 },
    mistakes: [],
  });
});

test("an empty variable counts as none", () => {
  expect(readSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "", TROUPE_TRACES_MAX_MB: "" })).toEqual(readSettings({}));
});

test("all variables are read", () => {
  const { settings, mistakes } = readSettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318/",
    OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20YQ%3D%3D, x-empty= ,",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TIMEOUT: "2500",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
    TROUPE_TRACES_SLOW: "1.5s",
    TROUPE_TRACES_COSTLY: "2",
    TROUPE_TRACES_MAX_AGE: "36h",
    TROUPE_TRACES_MAX_MB: "10",
  });
  expect(mistakes).toEqual([]);
  expect(settings).toEqual({
    collector: {
      url: "http://localhost:4318/v1/traces",
      protocol: "http/json",
      headers: [
        ["authorization", "Basic YQ=="],
        ["x-empty", ""],
      ],
      timeoutMs: 2500,
    },
    share: 0.25,
    slowMs: 1500,
    costlyUsd: 2,
    maxAgeMs: 36 * 3_600_000,
    maxBytes: 10 * 1024 ** 2,
  });
});

test("what is set for traces goes before what is set for all signals, and its address is used as it is", () => {
  const { settings } = readSettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://all.example",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces.example/api/spans",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=2",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "B=3",
  });
  expect(settings.collector).toMatchObject({
    url: "http://traces.example/api/spans",
    protocol: "http/protobuf",
    headers: [
      ["a", "1"],
      ["b", "3"],
    ],
  });
});

test.for([
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "http or https URL"],
  ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "gRPC is not spoken"],
  ["OTEL_EXPORTER_OTLP_TIMEOUT", "0", "OTEL_EXPORTER_OTLP_TIMEOUT"],
  ["OTEL_TRACES_SAMPLER_ARG", "2", "OTEL_TRACES_SAMPLER_ARG"],
  ["OTEL_TRACES_SAMPLER_ARG", "half", "must be a number"],
  ["TROUPE_TRACES_SLOW", "30", "duration such as 30s"],
  ["TROUPE_TRACES_MAX_AGE", "1w", "duration such as 30s"],
  ["TROUPE_TRACES_MAX_MB", "0", "TROUPE_TRACES_MAX_MB"],
] as const)("%s=%s is named and not used", ([name, value, words]) => {
  const { settings, mistakes } = readSettings({ [name]: value });
  expect(settings).toEqual(readSettings({}).settings);
  expect(mistakes).toEqual([expect.stringContaining(words)]);
  expect(mistakes[0]).toContain(name);
});

test.for(["token", "a b=c", "name=%ZZ", "=secret", "name=line\nbreak"])(
  "headers %j are a mistake that shows no value",
  (text) => {
    const { mistakes } = readSettings({ OTEL_EXPORTER_OTLP_HEADERS: text });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).not.toMatch(/secret|%ZZ|break/);
  },
);
