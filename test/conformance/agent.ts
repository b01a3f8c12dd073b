// The agent under test: the one at CONFORMANCE_URL, or the agent of jobs/tck.yaml (deployed.ts).
import * as z from "zod";
import { Agent, type Answer, type Json } from "./wire.ts";

export const agent = new Agent((process.env["CONFORMANCE_URL"] ?? "").replace(/\/$/, ""));

const Card = z.looseObject({
  name: z.string(),
  skills: z.array(z.looseObject({ id: z.string() })),
  capabilities: z.looseObject({
    streaming: z.boolean().default(false),
    pushNotifications: z.boolean().default(false),
    extendedAgentCard: z.boolean().default(false),
  }),
});

async function cardOf(): Promise<z.infer<typeof Card>> {
  const response = await fetch(`${agent.url}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } });
  return Card.parse(await response.json());
}

export const card = await cardOf();

/** Whether the agent plays the scenarios of the TCK: other agents do what they want with a message. */
export const playsScenarios = card.skills.some(({ id }) => id === "tck");

const Message = z.looseObject({ messageId: z.string(), role: z.string(), parts: z.array(z.looseObject({})) });
const Artifact = z.looseObject({
  artifactId: z.string(),
  parts: z.array(z.looseObject({ text: z.optional(z.string()) })),
});
const Status = z.looseObject({ state: z.string(), message: z.optional(Message), timestamp: z.iso.datetime() });
export const Task = z.looseObject({
  id: z.string(),
  contextId: z.string(),
  status: Status,
  artifacts: z.array(Artifact).default([]),
  history: z.array(Message).default([]),
});
export type Task = z.infer<typeof Task>;

const Update = { taskId: z.string(), contextId: z.string() };
export const Event = z.union([
  z.strictObject({ task: Task }),
  z.strictObject({ message: Message }),
  z.strictObject({ statusUpdate: z.looseObject({ ...Update, status: Status }) }),
  z.strictObject({
    artifactUpdate: z.looseObject({
      ...Update,
      artifact: Artifact,
      append: z.boolean().default(false),
      lastChunk: z.boolean().default(false),
    }),
  }),
]);
export type Event = z.infer<typeof Event>;

export const LONG_SCENARIO = "test-resubscribe-message-id";

/** A message that begins the scenario. */
export function begin(scenario: string, more: Json = {}): { message: Json } {
  const messageId = `${scenario}-${crypto.randomUUID()}`;
  return { message: { messageId, role: "ROLE_USER", parts: [{ text: "conformance" }], ...more } };
}

/** The task of an answer to SendMessage. Fails with its error. */
export function taskOf({ result, error }: Answer): Task {
  if (error) throw new Error(`${error.code}: ${error.message}`);
  return Task.parse(result && "task" in result ? result["task"] : result);
}
