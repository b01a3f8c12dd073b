// What stands on the screen of somebody who watched an answer that came to nothing.
import { expect, test } from "vitest";

import { askAndPrint } from "../../../../scripts/query/print.ts";
import { recordedIo } from "../io.ts";
import { agentDouble, piece, status, task } from "./agent-double.ts";

test("an answer that is taken back before its task fails ends its line, and adds no empty ones", async () => {
  await using agent = await agentDouble((_, stream) => {
    stream.event(task("WORKING"));
    stream.event(piece("half an", false));
    stream.event(piece("", false));
    stream.event(status("FAILED"));
    stream.end();
  });
  const io = { ...recordedIo(), interactive: true };
  const question = { text: "hello", session: undefined, timeoutMs: 10_000 };
  await expect(askAndPrint({ job: "job", url: agent.url, ...question }, io)).rejects.toThrow("ended as failed");
  expect(io.printed).toEqual(["half an", "", ""]);
});
