// Answers in a shape: checked, sent back with what does not fit, given up after some tries.
import { expect, it } from "vitest";
import * as z from "zod";
import { outputShape } from "#shared/loop/ending/output-shape.ts";
import { run, ScriptedModel } from "./scripted.ts";

const output = outputShape(z.object({ city: z.string(), people: z.int().min(1) }));
const GOOD = '{"city":"Bern","people":134000}';

it("an answer that fits is the result as data, and the API was told the shape", async () => {
  const model = new ScriptedModel({ text: GOOD });
  const { result } = await run(model, { output });
  expect(result).toMatchObject({ subtype: "success", structured: { city: "Bern", people: 134_000 } });
  expect(model.requests[0]?.outputSchema).toEqual(output.jsonSchema);
});

it("one that does not fit is sent back with the reason, also in another life", async () => {
  const model = new ScriptedModel({ text: '{"city":"Bern","people":0}' }, { text: GOOD });
  const { result, steps } = await run(model, { output });
  expect(result).toMatchObject({ subtype: "success", structured: { people: 134_000 } });
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain("people");
  const cut = steps.slice(0, -1);
  expect((await run(new ScriptedModel({ text: GOOD }), { output, steps: cut, life: 2 })).result.subtype).toBe(
    "success",
  );
});

it("after three more that do not fit the turn ends as error_max_structured_output_retries", async () => {
  const bad = { text: "Bern has many people." };
  const model = new ScriptedModel(bad, bad, bad, bad);
  const { result } = await run(model, { output });
  expect(result).toMatchObject({
    subtype: "error_max_structured_output_retries",
    message: expect.stringContaining("JSON"),
  });
  expect(model.requests).toHaveLength(4);
});

it("one that is whole counts although the model had no token left after it", async () => {
  const { result } = await run(new ScriptedModel({ text: GOOD, stop: "max_tokens" }), { output });
  expect(result).toMatchObject({ subtype: "success", structured: { city: "Bern" } });
});
