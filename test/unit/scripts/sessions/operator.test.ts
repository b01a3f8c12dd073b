import { expect, it } from "vitest";

import { Operator, Unreached } from "../../../../scripts/sessions/operator.ts";
import { serve } from "../../../support/serve.ts";
import { absent } from "./agent-double.ts";

async function answering(status: number, body: unknown): Promise<Operator> {
  const url = await serve((_, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  return new Operator("job", { id: "a", url }, new AbortController().signal);
}

const problem = (status: number) => ({ type: "/problems/x", title: "X", status, detail: "Something is wrong." });

it.each([
  [
    404,
    problem(404),
    "The agent a cannot be reached: it does not take requests of this command line (404), so deploy the job again.",
  ],
  [503, problem(503), "The agent a cannot be reached: it answered 503: Something is wrong."],
  [502, "bad gateway", "The agent a cannot be reached: it answered 502."],
  [200, { unknown: true }, "The agent a cannot be reached: it answered 200."],
])("an agent that answers %i counts as not reached, and says why", async (status, body, words) => {
  const failure = (await answering(status, body)).delete("s");
  await expect(failure).rejects.toThrow(Unreached);
  await expect(failure).rejects.toThrow(words);
});

it("a refusal is no silence: it ends the command", async () => {
  const failure = (await answering(409, problem(409))).delete("s");
  await expect(failure).rejects.toThrow("The agent a refuses: Something is wrong.");
  await expect(failure).rejects.not.toThrow(Unreached);
});

it("an agent that cannot be asked at all is named with the reason", async () => {
  await expect(absent("b").delete("s")).rejects.toThrow(/^The agent b cannot be reached: \w/);
});
