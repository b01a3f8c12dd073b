// The floor of the protocol: the SDK's own server on Express with tasks in memory, one HTTP call to the same model a message.
import { TaskState, type AgentCard } from "@a2a-js/sdk";
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore, type AgentExecutor } from "@a2a-js/sdk/server";
import { restHandler, UserBuilder } from "@a2a-js/sdk/server/express";
import express from "express";

const [modelUrl = ""] = process.argv.slice(2);

const card: AgentCard = {
  name: "Floor",
  description: "Asks the model and answers",
  version: "1.0.0",
  supportedInterfaces: [{ url: "http://127.0.0.1", protocolBinding: "HTTP+JSON", tenant: "", protocolVersion: "1.0" }],
  provider: undefined,
  capabilities: { streaming: true, extensions: [] },
  securitySchemes: {},
  securityRequirements: [],
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [],
  signatures: [],
};

const executor: AgentExecutor = {
  async execute({ taskId, contextId, userMessage }, bus) {
    const status = (state: TaskState) => ({ state, message: undefined, timestamp: new Date().toISOString() });
    bus.publish(
      AgentEvent.task({
        id: taskId,
        contextId,
        status: status(TaskState.TASK_STATE_WORKING),
        artifacts: [],
        history: [userMessage],
        metadata: undefined,
      }),
    );
    const [part] = userMessage.parts;
    const response = await fetch(`${modelUrl}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": "offline", "anthropic-version": "2026-10-21" },
      body: JSON.stringify({
        model: "offline",
        max_tokens: 4096,
        messages: [{ role: "user", content: part?.content?.value ?? "" }],
      }),
    });
    const answer: { content: { text: string }[] } = await response.json();
    const parts = [
      {
        content: { $case: "text" as const, value: answer.content[0]?.text ?? "" },
        metadata: undefined,
        filename: "",
        mediaType: "",
      },
    ];
    const artifact = { artifactId: "answer", name: "", description: "", parts, metadata: undefined, extensions: [] };
    bus.publish(
      AgentEvent.artifactUpdate({ taskId, contextId, artifact, append: false, lastChunk: true, metadata: undefined }),
    );
    bus.publish(
      AgentEvent.statusUpdate({
        taskId,
        contextId,
        status: status(TaskState.TASK_STATE_COMPLETED),
        metadata: undefined,
      }),
    );
    bus.finished();
  },
  async cancelTask() {},
};

const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
const app = express().use(restHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) console.log(`http://127.0.0.1:${address.port} ${process.pid}`);
});
