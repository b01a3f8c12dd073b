// Shortens a conversation that is too long to be summarised. Its longest pieces are cut, and say how much was left out; if that is not
// enough, its oldest messages go. The log keeps everything.
import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { tokensOfText } from "../model-call/context-size.ts";
import { asNote } from "../log/note.ts";
import { isThinking, type Conversation } from "../log/conversation.ts";

/** Characters that every piece may keep, and the factor for the next try. */
const LEAST_PIECE = 500;
const STEP = 0.75;

/** Returns the conversation itself where it has at most `tokens`, by length. */
export function shorten(conversation: Conversation, tokens: number): Conversation {
  const { messages, compacted } = conversation;
  if (tokensOfConversation(conversation) <= tokens) return conversation;
  const room = tokens - (compacted ? tokensOfText(compacted.content) : 0);
  let chars = Math.max(LEAST_PIECE, ...messages.flatMap(blocksOf).map((block) => pieceOf(block).length));
  let cut = messages;
  do {
    chars = Math.max(LEAST_PIECE, Math.floor(chars * STEP));
    cut = cutPieces(messages, chars);
  } while (chars > LEAST_PIECE && tokensOfMessages(cut) > room);
  return { ...conversation, messages: withoutOldest(cut, room) };
}

/** Tokens, by length. */
export function tokensOfConversation({ messages, compacted }: Conversation): number {
  const before = compacted ? tokensOfText(compacted.content) : 0;
  return before + tokensOfText(messages.flatMap(blocksOf).map(textOf).join(""));
}

/** Without thinking blocks: the API refuses them in another conversation. */
export function withoutThinking(messages: readonly MessageParam[]): MessageParam[] {
  return messages
    .map(mapBlocks((block) => (isThinking(block) ? [] : [block])))
    .filter(({ content }) => content.length > 0);
}

function cutPieces(messages: readonly MessageParam[], chars: number): MessageParam[] {
  return withoutThinking(messages).map(mapBlocks((block) => [cutBlock(block, chars)]));
}

function mapBlocks(change: (block: ContentBlockParam) => ContentBlockParam[]): (message: MessageParam) => MessageParam {
  return (message) => Object.assign({}, message, { content: toBlocks(message.content).flatMap(change) });
}

function cutBlock(block: ContentBlockParam, chars: number): ContentBlockParam {
  const piece = cut(pieceOf(block), chars);
  switch (block.type) {
    case "text":
      return { type: "text", text: piece };
    case "tool_result":
      return { ...block, content: piece };
    case "tool_use":
      return piece === pieceOf(block) ? block : { ...block, input: { cut: piece } };
    default:
      // Calls and results of the API's own tools are sealed: they can be described, not shortened.
      return { type: "text", text: piece };
  }
}

/** The part of a block that has no limit of length. */
function pieceOf(block: ContentBlockParam): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "tool_result":
      return typeof block.content === "string" ? block.content : JSON.stringify(block.content ?? "");
    case "tool_use":
      return JSON.stringify(block.input);
    default:
      return JSON.stringify(block);
  }
}

function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  // The API refuses half a character.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(chars - 1)) ? chars - 1 : chars;
  return `${text.slice(0, end)}\n[${text.length - end} of ${text.length} characters left out]`;
}

/** The latest messages that fit; the first of them answers no tool call. */
function withoutOldest(messages: readonly MessageParam[], room: number): MessageParam[] {
  let first = messages.length;
  let tokens = 0;
  for (let at = messages.length - 1; at >= 0; at--) {
    tokens += tokensOfMessages(messages.slice(at, at + 1));
    if (tokens > room) break;
    if (!blocksOf(messages[at]).some(({ type }) => type === "tool_result")) first = at;
  }
  if (first === 0) return [...messages];
  const note = asNote(`The oldest ${first} of ${messages.length} messages were left out.`);
  return [{ role: "user", content: [{ type: "text", text: note }] }, ...messages.slice(first)];
}

/** Bytes of messages with all that surrounds their pieces: an upper bound. */
function tokensOfMessages(messages: readonly MessageParam[]): number {
  return tokensOfText(JSON.stringify(messages));
}

/** Text as it is, all else as JSON, like the estimate of a log. */
function textOf(block: ContentBlockParam): string {
  return block.type === "text" || block.type === "tool_result" ? pieceOf(block) : JSON.stringify(block);
}

function blocksOf(message: MessageParam | undefined): ContentBlockParam[] {
  return message ? toBlocks(message.content) : [];
}

function toBlocks(content: MessageParam["content"]): ContentBlockParam[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}
