// The trace of a deployment, as the trace store gets it.
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { describe, expect, onTestFinished, test } from "vitest";

import { CliError } from "../../../../scripts/terminal/cli-error.ts";
import { type ControlPlane, findControlPlane } from "../../../../scripts/targets/local/control-plane/control-plane.ts";
import { DeployTrace, traced } from "../../../../scripts/targets/local/deploy-trace.ts";
import { controlPlaneLayout } from "../../../../scripts/targets/local/state/layout.ts";
import { jobToken } from "../../../../scripts/targets/local/state/secrets.ts";
import { waitUntilHealthy } from "../../../../scripts/targets/local/processes/health.ts";
import { OtlpPage, plainAttributes } from "../../../../scripts/traces/store/otlp-page.ts";
import { recordedIo } from "../io.ts";

interface Received {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A control plane that keeps what it is sent, and answers with `status`. */
async function controlPlane(status = 200): Promise<ControlPlane & { readonly received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      received.push({ path: request.url, authorization: request.headers.authorization, body: await text(request) });
      response.writeHead(status).end("{}");
    };
    void answer();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, port, modelPort: 0, secret: "secret", received };
}

/** Looks for the control plane in a folder of deployments in which what is known of it cannot be read. */
async function unknownControlPlane(): Promise<() => Promise<ControlPlane | undefined>> {
  const home = await mkdtemp(join(tmpdir(), "troupe-deploy-trace-"));
  onTestFinished(async () => rm(home, { recursive: true }));
  // A folder where a file should be.
  await mkdir(controlPlaneLayout(home).registry.dataLock, { recursive: true });
  return async () => findControlPlane(home);
}

/** What was sent, as an outline: indentation is parenthood. */
function outlineOf({ body }: Received): string[] {
  const { resourceSpans } = OtlpPage.parse({ ...(JSON.parse(body) as object), next: null });
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  const lines = (parent: string, indent: string): string[] =>
    spans
      .filter(({ parentSpanId = "" }) => parentSpanId === parent)
      .flatMap(({ name = "", spanId, status }) => [
        `${indent}${name}${status?.code === 2 ? ` ✗ ${status.message ?? ""}` : ""}`,
        ...lines(spanId, `${indent}  `),
      ]);
  return lines("", "");
}

describe("a deployment", () => {
  test("is one trace: its stages, and below them its agents", async () => {
    const plane = await controlPlane();
    const trace = new DeployTrace("research", recordedIo());
    await trace.stage("build", async () => {});
    await trace.stage("agents", async (span) => {
      await Promise.all(["a", "b"].map(async (id) => span.within(`create_agent ${id}`, {}, async () => {})));
    });
    trace.root.set({ "troupe.deploy.release": 3 });
    await trace.send(async () => plane);
    const [request, ...others] = plane.received;
    if (request === undefined) throw new Error("Nothing was sent");
    expect([request.path, request.authorization, others]).toEqual([
      "/v1/traces",
      `Bearer ${jobToken("secret", "research")}`,
      [],
    ]);
    expect(outlineOf(request)).toEqual([
      "deploy research",
      "  deploy.build",
      "  deploy.agents",
      "    create_agent a",
      "    create_agent b",
    ]);
    const [from] = OtlpPage.parse({ ...(JSON.parse(request.body) as object), next: null }).resourceSpans;
    expect(plainAttributes(from?.resource?.attributes)).toMatchObject({
      "service.name": "troupe",
      "service.namespace": "research",
    });
    expect(plainAttributes(from?.scopeSpans[0]?.spans[0]?.attributes)).toEqual({
      "troupe.trace.kind": "deploy",
      "troupe.job": "research",
      "troupe.deploy.release": 3,
    });
  });

  test("that failed says where, with the first line of why, and leaves nothing open", async () => {
    const plane = await controlPlane();
    const trace = new DeployTrace("research", recordedIo());
    const error = new CliError("failed", "workerd ended by itself:\n  a line of its log");
    const agents = trace.stage("agents", async (span) => {
      void span.within("create_agent slow", {}, async () => new Promise(() => {}));
      await span.within("create_agent bad", {}, async () => {
        throw error;
      });
    });
    await expect(agents).rejects.toBe(error);
    await trace.send(async () => plane, error);
    await trace.send(async () => plane, error);
    const why = " ✗ workerd ended by itself:";
    expect(plane.received.map(outlineOf)).toEqual([
      [`deploy research${why}`, `  deploy.agents${why}`, `    create_agent slow${why}`, `    create_agent bad${why}`],
    ]);
    expect(plane.received[0]?.body).not.toContain('"endTimeUnixNano":"0"');
  });

  test("that failed with a secret in its message does not tell it", async () => {
    const plane = await controlPlane();
    const trace = new DeployTrace("research", recordedIo());
    await trace.send(async () => plane, new CliError("failed", "401 for api_key=correct-horse-battery"));
    expect(plane.received.map(outlineOf)).toEqual([["deploy research ✗ 401 for api_key=[redacted]"]]);
  });

  test("is a note when the store does not take it, and nothing when there is none", async () => {
    const io = recordedIo();
    const send = async (plane?: ControlPlane) => new DeployTrace("research", io).send(async () => plane);
    await send();
    expect(io.notes).toEqual([]);
    await send(await controlPlane(503));
    await send({ url: "http://127.0.0.1:1", port: 1, modelPort: 1, secret: "s" });
    expect(io.notes).toEqual([
      "The trace of this deployment is lost: the trace store answered 503.",
      "The trace of this deployment is lost: fetch failed.",
    ]);
  });
});

describe("a control plane that cannot be found out about", () => {
  const lost = expect.stringMatching(/^The trace of this deployment is lost: .*EISDIR/) as unknown;

  test("is a note below a good deployment", async () => {
    const io = recordedIo();
    expect(await traced("research", { io, find: await unknownControlPlane() }, async () => "deployed")).toBe(
      "deployed",
    );
    expect(io.notes).toEqual([lost]);
  });

  test("does not hide why a deployment failed", async () => {
    const io = recordedIo();
    const error = new CliError("failed", "workerd ended by itself");
    const failing = async (): Promise<never> => {
      throw error;
    };
    await expect(traced("research", { io, find: await unknownControlPlane() }, failing)).rejects.toBe(error);
    expect(io.notes).toEqual([lost]);
  });
});

test("the look at an agent's health carries the span that the agent's registration belongs to", async () => {
  const seen: (string | string[] | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers["traceparent"]);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const signal = new AbortController().signal;
  const wait = { timeoutMs: 5_000, intervalMs: 10, lookMs: 5_000, ended: signal, signal };
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  await waitUntilHealthy(url, { ...wait, traceparent });
  await waitUntilHealthy(url, wait);
  expect(seen).toEqual([traceparent, undefined]);
});
