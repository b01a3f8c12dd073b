// A task's history keeps every message as it was said (A2A 1.0, sections 3.2.4, 3.7 and 4.1.1).
import { Role, TaskState, type Message, type Part } from "@a2a-js/sdk";
import { describe, expect, it } from "vitest";
import { dataPart, textMessage, textPart } from "#shared/a2a/message.ts";
import { answerOf, ask, client, problemOf, send } from "./client.ts";

const file = (name: string, bytes: string, mediaType = "text/csv"): Part => ({
  content: { $case: "raw", value: Buffer.from(bytes) },
  filename: name,
  mediaType,
  metadata: undefined,
});

describe.each(["JSONRPC", "HTTP+JSON"] as const)("over %s", (binding) => {
  const get = async (id: string, historyLength?: number) =>
    (await client(binding)).getTask({ tenant: "", id, ...(historyLength === undefined ? {} : { historyLength }) });

  it("a message keeps its id, its parts, its metadata and its references", async () => {
    const said: Partial<Message> = {
      messageId: `said-${binding}`,
      parts: [
        { ...textPart("say hi"), metadata: { tone: "kind" } },
        dataPart({ deep: [1, null] }),
        file("a.csv", "a;b"),
      ],
      metadata: { "https://x.test/ext": { a: 1 } },
      extensions: ["https://x.test/ext"],
      referenceTaskIds: ["another"],
    };
    const task = await send(await client(binding), ask("", `history-${binding}`, said));
    const [message, ...more] = (await get(task.id)).history;
    expect(more).toEqual([]);
    expect(message).toMatchObject({ ...said, role: Role.ROLE_USER, taskId: task.id, contextId: task.contextId });
  });

  it("an approval's question and answer follow, the newest are kept by historyLength", async () => {
    const task = await send(await client(binding), ask('call pay {"to":"history","amount":1}', `asked-${binding}`));
    expect(task.history).toHaveLength(1);
    const answer = { ...textMessage(Role.ROLE_USER, "yes"), messageId: `yes-${binding}`, taskId: task.id };
    const done = await send(await client(binding), { ...ask(""), message: answer });
    expect(done.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    const { history } = await get(task.id);
    expect(history.map(({ role }) => role)).toEqual([Role.ROLE_USER, Role.ROLE_AGENT, Role.ROLE_USER]);
    expect(history[1]).toMatchObject({
      messageId: task.status?.message?.messageId,
      parts: task.status?.message?.parts,
    });
    expect(history[2]).toMatchObject({ messageId: `yes-${binding}`, parts: [textPart("yes")] });
    expect((await get(task.id, 2)).history).toEqual(history.slice(1));
    expect((await get(task.id, 0)).history).toEqual([]);
  });

  it("historyLength counts in a stream, too", async () => {
    const configuration = {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      historyLength: 0,
      returnImmediately: false,
    };
    for await (const { payload } of (await client(binding)).sendMessageStream({ ...ask("say hi"), configuration })) {
      if (payload?.$case !== "task") continue;
      expect(payload.value.history).toEqual([]);
    }
  });

  it("the model reads the text of a file, and a file without text is refused by name", async () => {
    const parts = [textPart("repeat"), file("höhe.csv", "a;b\n1;2", "text/csv; charset=utf-8")];
    const task = await send(await client(binding), ask("", "", { parts }));
    expect(answerOf(task) + problemOf(task)).toContain("[File: höhe.csv, text/csv; charset=utf-8]\na;b\n1;2");
    const image = ask("", "", { parts: [file("a.png", "\x89PNG\0\0", "image/png")] });
    await expect(send(await client(binding), image)).rejects.toThrow("a.png");
    const binary = ask("", "", { parts: [file("a.bin", "\0\u0001\0", "")] });
    await expect(send(await client(binding), binary)).rejects.toThrow("is binary");
  });

  it("the same message id with other parts is refused", async () => {
    const contextId = `same-${binding}`;
    const first = ask("", contextId, { messageId: "m", parts: [dataPart({ a: 1 })] });
    const task = await send(await client(binding), first);
    expect((await send(await client(binding), first)).id).toBe(task.id);
    const other = ask("", contextId, { messageId: "m", parts: [dataPart({ a: 2 })] });
    await expect(send(await client(binding), other)).rejects.toThrow("was given to another message");
  });
});
