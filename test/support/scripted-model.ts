// The edge of the process in tests of agents: a Messages API whose answers are directed by what the last user message says.
//   say <text>                     answers the text, word by word
//   drip <text>                    the same, 50 ms between words
//   hang                           begins an answer and never goes on
//   call <tool> <json>             calls the tool; after its result it says "done: <result>", or hangs after "hang"
//   chain <json array>             calls each of these [tool, input] after the result of the one before
//   both <json array>              calls query_agent once with each of these inputs
//   stop <reason>                  answers, and says that it stopped for this reason
//   long [<n>] | gateway           an answer of n times 100,000 characters (3 MB), or an error of some megabytes
//   refuse | empty (again and again) | cut | status <n>
// Anything else is answered with the number of messages and the last user text.
import { Response, type Request } from "miniflare";

interface Block {
  type: string;
  text?: string;
  content?: string;
}
interface Body {
  messages: { role: string; content: Block[] }[];
  compaction?: unknown;
}

export async function scriptedModel(request: Request): Promise<Response> {
  // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
  const body = (await request.json()) as Body;
  if (body.compaction) return refusal(400, "compaction: Extra inputs are not permitted");
  const last = body.messages.at(-1)?.content ?? [];
  const final = last.at(-1);
  const result = final?.type === "tool_result" ? final : undefined;
  const said = last.findLast((block) => block.type === "text")?.text ?? "";
  const [tool, input] = nextOfChain(body) ?? [];
  if (tool !== undefined) return toolUse(tool, JSON.stringify(input));
  if (said.includes("Your last answer was empty.")) return stream([]);
  if (result?.content === "hang") return stream(["…"], { hang: true });
  if (result) return stream(words(`done: ${String(result.content)}`));
  const [verb = "", ...rest] = said.split(" ");
  const text = rest.join(" ");
  switch (verb) {
    case "say":
      return stream(words(text));
    case "drip":
      return stream(words(text), { delayMs: 50 });
    case "hang":
      return stream(["…"], { hang: true });
    case "call":
      return toolUse(rest[0] ?? "", rest.slice(1).join(" ") || "{}");
    case "long":
      return stream(Array.from({ length: Number(text) || 30 }, () => "x".repeat(100_000)));
    case "stop":
      return stream(["words"], { stopReason: text });
    case "gateway":
      return new Response("x".repeat(5_000_000), { status: 400, headers: { "x-should-retry": "false" } });
    case "both":
      return stream(["both"], { calls: JSON.parse(text) as object[] });
    case "refuse":
      return stream([], { stopReason: "refusal" });
    case "empty":
      return stream([]);
    case "cut":
      return stream(["half an answ"], { stopReason: "max_tokens" });
    case "status":
      return refusal(Number(text), "as told");
    default:
      return stream(words(`${body.messages.length} messages, the last: ${said}`));
  }
}

function refusal(status: number, message: string): Response {
  return Response.json(
    { type: "error", error: { type: "api_error", message } },
    { status, headers: { "x-should-retry": "false" } },
  );
}

/** The call that is due of the last `chain`, if one is. */
function nextOfChain({ messages }: Body): [string, unknown] | undefined {
  const said = (message: Body["messages"][number]) =>
    message.role === "user" ? message.content.findLast(({ type }) => type === "text")?.text : undefined;
  const from = messages.findLastIndex((message) => said(message) !== undefined);
  const [, json] = /^chain (.*)$/s.exec(said(messages[from] ?? { role: "", content: [] }) ?? "") ?? [];
  if (json === undefined) return undefined;
  const calls = JSON.parse(json) as [string, unknown][];
  return calls[messages.slice(from).filter(({ role }) => role === "assistant").length];
}

function words(text: string): string[] {
  return text.split(/(?<= )/);
}

interface Manner {
  delayMs?: number;
  hang?: boolean;
  stopReason?: string;
  calls?: object[];
}

function stream(
  texts: string[],
  { delayMs = 0, hang = false, stopReason = "end_turn", calls = [] }: Manner = {},
): Response {
  const events = [
    START,
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...texts.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    ...calls.flatMap((input, i) => called(i + 1, `toolu_${i}`, "query_agent", JSON.stringify(input))),
    ...(hang ? [] : [{ type: "content_block_stop", index: 0 }, ...end(stopReason)]),
  ];
  return sse(events, delayMs, hang);
}

function toolUse(name: string, json: string): Response {
  return sse([START, ...called(0, `toolu_${name}`, name, json), ...end("tool_use")]);
}

function called(index: number, id: string, name: string, json: string): { type: string; index: number }[] {
  const start = { type: "content_block_start", index, content_block: { type: "tool_use", id, name, input: {} } };
  const delta = { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: json } };
  return [start, delta, { type: "content_block_stop", index }];
}

const START = {
  type: "message_start",
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "scripted",
    content: [],
    stop_reason: null,
    usage: { input_tokens: 10, output_tokens: 1 },
  },
};

function end(stopReason: string): object[] {
  return [
    { type: "message_delta", delta: { stop_reason: stopReason }, usage: { output_tokens: 5 } },
    { type: "message_stop" },
  ];
}

function sse(events: { type?: string }[], delayMs = 0, hang = false): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      for (const event of events) {
        controller.enqueue(encoder.encode(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
      if (!hang) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
