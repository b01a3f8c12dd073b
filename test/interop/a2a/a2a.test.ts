// Clients of others ask an agent of a deployed job: each holds the whole answer at the end, once.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { connect, saying, send, textOf } from "../../support/a2a-client.ts";
import { Deployment } from "../../support/deployment.ts";
import { running, Unreachable } from "../toolchain.ts";
import { ADK, buildGoClient, held, install, MICROSOFT, PYTHON_03, PYTHON_1, type PythonClient } from "./clients.ts";

const QUESTION = "What is a Durable Object?";
/** A default Python client gives up after five seconds without a byte. */
const SLOW = `name: slow
agents: [{ id: summarizer }]
topology: { type: mesh }
model: { provider: offline, offline: { ttft: 7s } }
`;

const Status = z.object({ agents: z.array(z.object({ id: z.string(), url: z.string() })) });
const Held = z.array(z.object({ streamed: z.string(), stored: z.string() }));

let deployment: Deployment;
let [url, slow, answer] = ["", "", ""];
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", "research-assistant");
  await deployment.succeed("deploy", await deployment.write("slow.yaml", SLOW));
  const urlOf = async (job: string, id: string) =>
    Status.parse(await deployment.json("status", job)).agents.find((agent) => agent.id === id)?.url ?? "";
  url = await urlOf("research-assistant", "coordinator");
  slow = await urlOf("slow", "summarizer");
  answer = textOf(await send(await connect(url), saying(QUESTION)));
});
afterAll(async () => deployment.close());

async function ask(client: PythonClient, skip: (reason: string) => never, ...args: string[]): Promise<unknown> {
  return held(client, await orSkip(install(client), skip), args);
}

async function orSkip(building: Promise<string>, skip: (reason: string) => never): Promise<string> {
  try {
    return await building;
  } catch (error) {
    if (error instanceof Unreachable) return skip(error.message);
    throw error;
  }
}

describe("the official Python SDK", () => {
  test("1.3.0 streams and stores the answer over both bindings", async ({ skip }) => {
    const both = Held.parse(await ask(PYTHON_1, skip, url, QUESTION, "JSONRPC", "HTTP+JSON"));
    expect(answer).toContain("Durable Object");
    for (const { streamed, stored } of both) expect([streamed, stored]).toEqual([answer, answer]);
    expect(both).toHaveLength(2);
  });

  test("1.3.0 waits for a model that thinks for seven seconds", async ({ skip }) => {
    const [first] = Held.parse(await ask(PYTHON_1, skip, slow, "Summarize: workerd runs Workers. It is fast."));
    expect(first?.streamed).not.toBe("");
    expect(first?.streamed).toBe(first?.stored);
  });

  test("0.3.26 streams and stores the answer", async ({ skip }) => {
    const [first] = Held.parse(await ask(PYTHON_03, skip, url, QUESTION));
    expect([first?.streamed, first?.stored]).toEqual([answer, answer]);
  });
});

test("the official Go SDK 2.3.1 holds the answer over both bindings, and understands errors", async ({ skip }) => {
  const client = await orSkip(buildGoClient(), skip);
  const both = JSON.parse(await running({ program: client, args: [url, QUESTION, "JSONRPC", "HTTP+JSON"] })) as unknown;
  const whole = { state: "TASK_STATE_COMPLETED", streamed: answer, stored: answer, notFound: true };
  expect(both).toEqual([whole, whole]);
});

test("Google ADK 2.13.0 keeps the whole answer in its session, once", async ({ skip }) => {
  const [kept] = z.array(z.object({ texts: z.array(z.string()) })).parse(await ask(ADK, skip, url, QUESTION));
  expect(kept?.texts).toEqual([answer]);
});

test("Microsoft's Agent Framework 1.0.0b261022 holds the whole answer, once", async ({ skip }) => {
  const Response = z.array(z.object({ text: z.string() }));
  const [response] = Response.parse(await ask(MICROSOFT, skip, url, QUESTION));
  expect(response?.text).toBe(answer);
});
