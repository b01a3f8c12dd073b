// The trace of one deployment: a span for each stage and for each agent that starts, sent to the job's trace store at
// the end of the command. It is built by hand as OTLP/JSON, since the agents' tracing library runs in workerd only.
import { ERROR, GENERAL, RESOURCE, SPAN, TROUPE } from "#shared/tracing/names.ts";
import {
  KIND,
  type OtlpSpan,
  type Plain,
  type ResourceSpans,
  STATUS,
  toAttributes,
  unixNano,
} from "#shared/tracing/otlp.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { redactor } from "#shared/tracing/redact.ts";
import { randomContext, randomHex, type TraceContext } from "#shared/tracing/trace-context.ts";

import { ownFetch } from "../../project/own-fetch.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { type Io, noteIfSlow } from "../../terminal/io.ts";
import type { ControlPlane } from "./control-plane/control-plane.ts";
import { jobToken } from "./state/secrets.ts";

type Attributes = Readonly<Record<string, Plain>>;

const SERVICE = "troupe";
const redact = redactor([]);
/** A user must not notice the sending. */
const LIMIT_MS = 1_000;

/** A span with its children. */
export class DeploySpan {
  readonly context: TraceContext;
  readonly #parent: DeploySpan | undefined;
  readonly #name: string;
  readonly #begunMs: number;
  readonly #children: DeploySpan[] = [];
  readonly #attributes: Record<string, Plain>;
  #endedMs: number | undefined;
  #failure: string | undefined;

  constructor(name: string, attributes: Attributes, parent?: DeploySpan, begunMs = Date.now()) {
    this.context = randomContext(parent?.context);
    this.#parent = parent;
    this.#name = name;
    this.#attributes = { ...attributes };
    this.#begunMs = begunMs;
  }

  set(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes);
  }

  /** Runs `work` in a child span; an error is recorded and thrown again. `begunMs` may lie before now. */
  async within<Result>(
    name: string,
    attributes: Attributes,
    work: (span: DeploySpan) => Promise<Result>,
    begunMs?: number,
  ): Promise<Result> {
    const span = new DeploySpan(name, attributes, this, begunMs);
    this.#children.push(span);
    try {
      const result = await work(span);
      span.end();
      return result;
    } catch (error) {
      span.end(error);
      throw error;
    }
  }

  /** Ends the span and its open children, which fail with `error` too. May be repeated: the first end counts. */
  end(error?: unknown): void {
    if (this.#endedMs !== undefined) return;
    this.#endedMs = Math.max(Date.now(), this.#begunMs);
    if (error !== undefined) {
      this.set({ [GENERAL.errorType]: errorType(error) });
      // Further lines quote logs, which may hold content that must not be recorded.
      this.#failure = redact(reasonOf(error)).split("\n", 1)[0] ?? "";
    }
    for (const child of this.#children) child.end(error);
  }

  /** This span and all below it. */
  toOtlp(): OtlpSpan[] {
    const span: OtlpSpan = {
      ...this.context,
      ...(this.#parent === undefined ? {} : { parentSpanId: this.#parent.context.spanId }),
      name: this.#name,
      kind: KIND.internal,
      startTimeUnixNano: unixNano(this.#begunMs),
      endTimeUnixNano: this.#endedMs === undefined ? "0" : unixNano(this.#endedMs),
      attributes: toAttributes(this.#attributes),
      status: this.#failure === undefined ? { code: STATUS.unset } : { code: STATUS.error, message: this.#failure },
    };
    return [span, ...this.#children.flatMap((child) => child.toOtlp())];
  }
}

export class DeployTrace {
  readonly root: DeploySpan;
  readonly #job: string;
  readonly #io: Io;
  #sent = false;

  constructor(job: string, io: Io) {
    this.#job = job;
    this.#io = io;
    this.root = new DeploySpan(SPAN.deploy(job), { [TROUPE.traceKind]: "deploy", [TROUPE.job]: job });
  }

  /** Runs one stage of the deployment. */
  async stage<Result>(name: string, work: (span: DeploySpan) => Promise<Result>): Promise<Result> {
    return this.root.within(SPAN.stage(name), {}, work);
  }

  /**
   * Ends the trace and sends it. May be repeated: the first call counts. Without a control plane nothing is sent; any failure is a
   * note. Never throws.
   */
  async send(find: () => Promise<ControlPlane | undefined>, error?: unknown): Promise<void> {
    if (this.#sent) return;
    this.#sent = true;
    this.root.end(error);
    try {
      const controlPlane = await find();
      if (controlPlane === undefined) return;
      const response = await ownFetch(`${controlPlane.url}/v1/traces`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${jobToken(controlPlane.secret, this.#job)}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ resourceSpans: [this.#resourceSpans()] }),
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      await response.body?.cancel();
      if (!response.ok)
        this.#io.note(`The trace of this deployment is lost: the trace store answered ${response.status}.`);
    } catch (failure) {
      this.#io.note(`The trace of this deployment is lost: ${reasonOf(failure).replace(/\.$/, "")}.`);
    }
  }

  #resourceSpans(): ResourceSpans {
    const resource = {
      [RESOURCE.serviceName]: SERVICE,
      [RESOURCE.serviceNamespace]: this.#job,
      [RESOURCE.serviceInstance]: randomHex(8),
    };
    const scope = { name: SERVICE };
    return {
      resource: { attributes: toAttributes(resource) },
      scopeSpans: [{ scope, spans: this.root.toOtlp() }],
    };
  }
}

/** Runs `work` and sends its trace, also when it fails. */
export async function traced<Result>(
  job: string,
  { io, find }: { readonly io: Io; readonly find: () => Promise<ControlPlane | undefined> },
  work: (trace: DeployTrace) => Promise<Result>,
): Promise<Result> {
  const trace = new DeployTrace(job, io);
  try {
    const result = await work(trace);
    await trace.send(find);
    return result;
  } catch (error) {
    await trace.send(find, error);
    throw error;
  }
}

/** Returns a function that runs one stage, records it, and notes its label when it takes long. */
export function stagesOf(trace: DeployTrace, io: Io) {
  return async <Result>(name: string, label: string, work: (span: DeploySpan) => Promise<Result>): Promise<Result> =>
    trace.stage(name, async (span) => noteIfSlow(io, label, async () => work(span)));
}

function errorType(error: unknown): string {
  if (error instanceof CliError) return error.code === "interrupted" ? ERROR.canceled : error.code;
  return error instanceof Error ? error.name : ERROR.internal;
}
