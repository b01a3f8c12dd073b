// Decides the assistant's next turn from a request. Pure: the same request gives the same decision.
import { BY_RULES, writeAnswer } from "./answers/answer.ts";
import { nextCalls, plan, type WantedCall } from "./calls/plan.ts";
import type { MessagesRequest } from "./api/request.ts";
import { structuredAnswer } from "./answers/structured.ts";
import { asksForSummary, summarise } from "./answers/summarise.ts";
import { smallTalk } from "./reading/talk.ts";
import { readTask, type Task } from "./reading/task.ts";

/** Tools to call in parallel, or the final text. */
export type Decision = { readonly calls: readonly WantedCall[] } | { readonly text: string };

export function decide(request: MessagesRequest): Decision {
  if (asksForSummary(request)) return { text: summarise(request) };
  const task = readTask(request);
  const decision = decideTask(request, task);
  const schema = request.output_config?.format?.schema;
  if (schema === undefined || "calls" in decision) return decision;
  return { text: structuredAnswer(schema, task.asked, decision.text) };
}

function decideTask(request: MessagesRequest, task: Task): Decision {
  const { current, askedBy } = task.transcript;
  const forced = forcedCall(request, task);
  if (forced !== null) return { calls: [forced] };

  const talk = askedBy === null && current.rounds === 0 ? smallTalk(task.transcript) : null;
  if (talk !== null) return { text: `${talk}\n\n${BY_RULES}` };

  const calls = nextCalls(task);
  return calls.length > 0 ? { calls } : { text: writeAnswer(task) };
}

/** The call that `tool_choice` demands: "tool" names the tool, "any" leaves the choice. Applies once a turn. */
function forcedCall(request: MessagesRequest, task: Task): WantedCall | null {
  const { type, name } = request.tool_choice ?? { type: "auto" };
  if ((type !== "tool" && type !== "any") || task.transcript.current.rounds > 0) return null;
  if (type === "any" && nextCalls(task).length > 0) return null;
  const tool = type === "tool" ? task.tools.find((one) => one.name === name) : task.tools[0];
  return tool === undefined ? null : plan(task, tool);
}
