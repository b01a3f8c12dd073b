// The SDK's own A2A client as it comes, and the parameters of the operations that tests use.
import { Role, type SendMessageRequest, type Task, TaskState } from "@a2a-js/sdk";
import { type Client, ClientFactory, ClientFactoryOptions } from "@a2a-js/sdk/client";

import { textMessage, textOfParts } from "#shared/a2a/message.ts";

export type Binding = "JSONRPC" | "HTTP+JSON";

export async function connect(url: string, binding: Binding = "HTTP+JSON"): Promise<Client> {
  const preferredTransports = [binding];
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { preferredTransports });
  return new ClientFactory(options).createFromUrl(url);
}

/** `returnImmediately` answers with the task as it begins instead of waiting for its end. */
export function saying(text: string, returnImmediately = false): SendMessageRequest {
  const configuration = {
    acceptedOutputModes: [],
    taskPushNotificationConfig: undefined,
    historyLength: undefined,
    returnImmediately,
  };
  return { tenant: "", message: textMessage(Role.ROLE_USER, text), configuration, metadata: undefined };
}

/** Sends the message and returns the task it opened. Throws when the agent answers without a task. */
export async function send(client: Client, request: SendMessageRequest): Promise<Task> {
  const result = await client.sendMessage(request);
  if (!("status" in result)) throw new Error("The agent answered with a message instead of a task.");
  return result;
}

/** The parameters of an operation on a task. */
export function taskParams(id: string) {
  return { tenant: "", id, metadata: undefined };
}

/** Every task of the agent, newest first. */
export async function tasksOf(client: Client): Promise<Task[]> {
  const status = TaskState.TASK_STATE_UNSPECIFIED;
  const all = { tenant: "", contextId: "", status, pageToken: "", statusTimestampAfter: undefined };
  return (await client.listTasks(all)).tasks;
}

export function textOf({ artifacts }: Task): string {
  return textOfParts(artifacts.flatMap((artifact) => artifact.parts));
}
