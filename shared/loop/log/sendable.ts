// Answers of any backend in the form that the asked backend takes. The log keeps them verbatim. The same log always gives the same
// form, so that prompt caches hold.
import type { ContentBlockParam, ToolUseBlockParam } from "@anthropic-ai/sdk/resources/messages/messages";
import type { AssistantStep } from "./step.ts";
import { claimId } from "./tool-use-ids.ts";

/** A backend and its model. */
export interface Backend {
  readonly provider: string;
  readonly name: string;
  readonly server: { readonly address: string; readonly port: number };
}

/** Stands for any backend: what is sent to it holds nothing that is bound to one. */
export const ANYONE: Backend = { provider: "", name: "", server: { address: "", port: 0 } };

/** Characters of an id; every backend takes so many. */
const MAX_ID = 64;
/** Characters of a tool's name. */
const MAX_NAME = 128;
const NOT_IN_NAMES = /[^a-zA-Z0-9_-]/g;

export interface SentAnswer {
  readonly content: ContentBlockParam[];
  /** The calls in their order: the id of each in the log, and the id under which it is sent. */
  readonly calls: readonly { readonly stored: string; readonly sent: string }[];
}

/** The backend that a model is asked at, as a step keeps it. */
export function originOf({ provider, name, server }: Backend): NonNullable<AssistantStep["origin"]> {
  return { provider, server: `${server.address}:${server.port}`, model: name };
}

/** `used`: ids of the calls that are sent before this answer; its own are added. `asked`: undefined where the backend is not known. */
export function sendable(step: AssistantStep, asked: Backend | undefined, used: Set<string>): SentAnswer {
  const isOwn = !asked || isFrom(step, asked);
  const hasThought = isOwn && (!asked || step.origin !== undefined || isLike(step.model, asked.name));
  const calls: { stored: string; sent: string }[] = [];
  const content = step.content.flatMap((block): ContentBlockParam[] => {
    switch (block.type) {
      case "text":
        // The API refuses text that is only white space, although models answer with it.
        if (typeof block.text !== "string" || block.text.trim() === "") return [];
        return [isOwn ? block : { type: "text", text: block.text }];
      case "tool_use": {
        const sent = claimId(fitting(block.id, MAX_ID, "toolu"), used, MAX_ID);
        calls.push({ stored: block.id, sent });
        return [callOf(block, sent, isOwn)];
      }
      case "thinking":
        return hasThought && block.signature ? [block] : [];
      case "redacted_thinking":
        return hasThought && block.data ? [block] : [];
      default:
        // Sealed, or known to one backend alone: another backend would refuse it.
        return isOwn ? [block] : [];
    }
  });
  return { content, calls };
}

/** Whether only the backend that made a block takes it. Another key, or a later version of the backend, may refuse it. */
export function isBound(block: ContentBlockParam): boolean {
  if (block.type === "text") return (block.citations?.length ?? 0) > 0;
  return block.type !== "tool_use" && block.type !== "tool_result";
}

function callOf(block: ToolUseBlockParam, id: string, isOwn: boolean): ToolUseBlockParam {
  const sent = { id, name: fitting(block.name, MAX_NAME, "unknown"), input: isObject(block.input) ? block.input : {} };
  return isOwn ? { ...block, ...sent } : { type: "tool_use", ...sent };
}

function isObject(input: unknown): boolean {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

/** The name, without characters that the API refuses. */
function fitting(name: string, most: number, otherwise: string): string {
  return name.slice(0, most).replace(NOT_IN_NAMES, "_") || otherwise;
}

/** Whether this backend made the answer. True for steps of older versions, which do not say. */
export function isFrom({ origin }: Pick<AssistantStep, "origin">, asked: Backend): boolean {
  if (asked.provider === ANYONE.provider) return false;
  if (!origin) return true;
  const now = originOf(asked);
  return origin.provider === now.provider && origin.server === now.server && origin.model === now.model;
}

/** A model may call itself by a longer form of the name that it is asked by. */
function isLike(model: string, asked: string): boolean {
  return model.startsWith(asked) || asked.startsWith(model);
}
