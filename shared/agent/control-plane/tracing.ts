// Tracing of one agent: its resource, what it may record, and the delivery of its spans. One outbox an isolate.
import { resourceFromAttributes } from "@opentelemetry/resources";
import { contentFilter } from "../../tracing/content.ts";
import { RESOURCE } from "../../tracing/names.ts";
import { Outbox } from "../../tracing/outbox.ts";
import { Recorder, type RecorderParts } from "../../tracing/recorder.ts";
import { randomHex } from "../../tracing/trace-context.ts";
import { SILENT, type Tracer } from "../../tracing/tracer.ts";
import { beaconStub, configOf, type AgentEnv } from "../env.ts";
import { log } from "../log.ts";
import { reasonOf } from "../../text/reason.ts";
import { sendSpans } from "./trace-client.ts";

/** Variables that hold secrets in every agent. */
const OWN_SECRETS = ["TROUPE_KEY", "TROUPE_SIGNING_KEY", "TROUPE_TOKEN", "ANTHROPIC_API_KEY"];

type Isolate = Omit<RecorderParts, "onChange"> & { readonly id: string; readonly outbox: Outbox };

/** An isolate runs one agent. */
let isolate: Isolate | undefined;

/** The tracer for work that `waitUntil` can outlive. */
export function tracerOf(env: AgentEnv, waitUntil: (work: Promise<unknown>) => void): Tracer {
  if (!configOf(env).tracing.enabled) return SILENT;
  const { resource, content, outbox } = isolateOf(env);
  const send = (work: Promise<unknown>) => waitUntil(work.catch((error: unknown) => complain(env, error)));
  return new Recorder({ resource, content, onChange: (span) => outbox.add(span, send) });
}

/** `service.instance.id` of this isolate. */
export function isolateId(env: AgentEnv): string {
  return isolateOf(env).id;
}

/** Sends waiting spans. Each heartbeat calls it, for spans whose request went away. */
export async function flushSpans(env: AgentEnv): Promise<void> {
  await isolateOf(env)
    .outbox.flush()
    .catch((error: unknown) => complain(env, error));
}

function isolateOf(env: AgentEnv): Isolate {
  if (isolate) return isolate;
  const { job, id: agent, tracing, secrets } = configOf(env);
  const id = randomHex(8);
  const values = [...OWN_SECRETS, ...secrets].map((name) => Reflect.get(env, name) as unknown);
  isolate = {
    id,
    resource: resourceFromAttributes({
      [RESOURCE.serviceName]: agent,
      [RESOURCE.serviceNamespace]: job,
      [RESOURCE.serviceInstance]: id,
    }),
    content: contentFilter(
      tracing.content,
      values.filter((value) => typeof value === "string"),
    ),
    outbox: new Outbox((request) => deliver(env, request)),
  };
  return isolate;
}

/** Sends spans to the trace store, or keeps them in the agent's own storage until it can be reached. */
async function deliver(env: AgentEnv, request: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    await sendSpans(env, request);
  } catch {
    await beaconStub(env).keepSpans(request);
  }
}

function complain(env: AgentEnv, error: unknown): void {
  log(env, "warn", `Spans could be neither sent nor kept and are tried again: ${reasonOf(error)}`);
}
