// What tools give a task beside its answer (A2A 1.0, section 4.1.7).
import { evictDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { Artifact, StreamResponse } from "@a2a-js/sdk";
import { ask, client, send } from "./client.ts";
import { session } from "./sessions.ts";

const fileOf = ({ name, parts }: Artifact) => {
  const [part] = parts;
  const bytes = part?.content?.$case === "raw" ? part.content.value : new Uint8Array();
  return [name, part?.filename, part?.mediaType, new TextDecoder().decode(bytes)];
};
const CHART = ["rates", "chart.csv", "text/csv", "rates"];

it("a tool's file is an artifact before the answer, replaced by one with its id, and outlives the object", async () => {
  const a2a = await client("HTTP+JSON");
  const task = await send(a2a, ask('call chart {"title":"rates"}', "charts"));
  expect(task.artifacts.map(({ artifactId }) => artifactId)).toEqual(["chart", "answer"]);
  expect(task.artifacts.slice(0, 1).map(fileOf)).toEqual([CHART]);
  await evictDurableObject(session("charts"));
  const again = await a2a.getTask({ tenant: "", id: task.id });
  expect(again.artifacts).toEqual(task.artifacts);
});

it("who watches gets the file whole, and the answer after it", async () => {
  const events: StreamResponse[] = [];
  for await (const event of (await client("JSONRPC")).sendMessageStream(ask('call chart {"title":"rates"}')))
    events.push(event);
  const updates = events.flatMap(({ payload }) => (payload?.$case === "artifactUpdate" ? [payload.value] : []));
  const charts = updates.filter(({ artifact }) => artifact?.artifactId === "chart");
  expect(charts.map(({ append, lastChunk }) => [append, lastChunk])).toEqual([
    [false, true],
    [false, true],
  ]);
  expect(charts.at(-1)?.artifact && fileOf(charts.at(-1)?.artifact ?? never())).toEqual(CHART);
  expect(updates.at(-1)?.artifact?.artifactId).toBe("answer");
});

function never(): never {
  throw new Error("There is no artifact.");
}
