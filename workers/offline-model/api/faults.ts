// Faults that replace the whole response. stream.ts has the faults within a stream.
import type { Message } from "@anthropic-ai/sdk/resources/messages/messages";
import { errorResponse } from "./errors.ts";
import type { Fault } from "./settings.ts";

/** How long a stalled connection stays open. */
const STALL_MS = 600_000;

/** The broken response; null when the fault leaves the response whole. Waits for a stall. */
export async function failingResponse(
  fault: Fault | null,
  message: Message,
  stream: boolean,
): Promise<Response | null> {
  switch (fault) {
    case "401":
      return errorResponse(401, "invalid x-api-key");
    case "403":
      return errorResponse(403, "Your API key does not have permission to use the specified resource.");
    case "429":
      return errorResponse(429, "This request would exceed your account's rate limit. Please try again later.", {
        "retry-after": "1",
      });
    case "500":
      return errorResponse(500, "Internal server error");
    case "529":
      return errorResponse(529, "Overloaded");
    case null:
      return null;
    case "garbage_tool_input":
      return stream ? null : Response.json({ ...message, content: message.content.map(spoilInput) });
    case "cut":
    case "malformed":
      if (stream) return null;
      return new Response(JSON.stringify(message).slice(0, -40), { headers: { "content-type": "application/json" } });
    case "error_event":
      return stream ? null : errorResponse(529, "Overloaded");
    case "stall":
      if (stream) return null;
      await scheduler.wait(STALL_MS);
      return errorResponse(500, "Internal server error");
  }
}

function spoilInput(block: Message["content"][number]): Message["content"][number] {
  return block.type === "tool_use" ? { ...block, input: { broken: true } } : block;
}
