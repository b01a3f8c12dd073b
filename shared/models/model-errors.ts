// Failures of the Messages API in words for the person who asked. No address is named: the words may reach another agent's model.
import { reasonOf } from "../tracing/reason.ts";
import { AnthropicError, APIConnectionError, APIError } from "@anthropic-ai/sdk/core/error";
import * as z from "zod";
import { ModelError, type ModelErrorCode } from "./model.ts";
import { retryAfterSeconds } from "../http/retry-after.ts";
import { saysTooLong, timesTooLong } from "./too-long.ts";

/** Characters of the API's own words that are kept. */
const MAX_SAID = 1_000;

/** The API's error body. */
const Body = z.object({ error: z.object({ message: z.string() }) });

/** What the client threw, as a ModelError with what to do. */
export function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof APIConnectionError) return connectionLost(error);
  if (isApiError(error)) return refusal(error);
  const reason = bounded(reasonOf(error));
  const broken = error instanceof AnthropicError || error instanceof SyntaxError || error instanceof TypeError;
  return broken
    ? new ModelError("broken_stream", `The model's answer broke off or was malformed: ${reason}`, { cause: error })
    : connectionLost(error);
}

function refusal(error: APIError): ModelError {
  const { status, type, headers } = error;
  const said = Body.safeParse(error.error).data?.error.message ?? "";
  // Some put it into a type or a code beside the message, some have a body of another shape.
  const all = `${type ?? ""} ${error.message}`;
  const isTooLong = status === 413 || ((status ?? 400) === 400 && saysTooLong(all));
  const [code, advice] = isTooLong
    ? (["prompt_too_long", "The conversation does not fit the model's context"] as const)
    : status === undefined
      ? explainType(type)
      : explainStatus(status, headers);
  const message = said === "" ? `${advice}.` : `${advice}. The API said: ${bounded(said)}`;
  return new ModelError(code, message, {
    cause: error,
    // What has a status came before the answer, where the client has tried again already.
    ...(status === undefined ? {} : { retryable: false }),
    timesTooLong: timesTooLong(said),
  });
}

/**
 * No answer came, or it came only in part: whether the request had arrived nobody knows. The cause is told, not linked: the client
 * would take the error for its own connection's, and try again.
 */
export function connectionLost(cause: unknown): ModelError {
  return new ModelError(
    "connection_lost",
    `The connection to the model API failed or broke: ${bounded(reasonOf(cause))}`,
  );
}

/** Narrows to the type's defaults: the class's own parameters are any. */
export function isApiError(error: unknown): error is APIError {
  return error instanceof APIError;
}

function bounded(text: string): string {
  return text.slice(0, MAX_SAID).toWellFormed();
}

function explainStatus(status: number, headers: Headers | undefined): [ModelErrorCode, string] {
  const waitS = headers && retryAfterSeconds(headers);
  const later = waitS === undefined ? "try again later" : `try again in ${Math.ceil(waitS)} s`;
  switch (status) {
    case 401:
      return [
        "unauthorized",
        "The model API refused the key (401): set ANTHROPIC_API_KEY to a valid key and deploy again",
      ];
    case 403:
      return [
        "forbidden",
        "The model API does not allow this key to use this model (403): check the key's workspace and the model's name",
      ];
    case 429:
      return ["rate_limited", `The model API limits the rate of requests (429): ${later}`];
    case 529:
      return ["overloaded", `The model API is overloaded (529): ${later}`];
    default:
      return status >= 500
        ? ["unavailable", `The model API failed with status ${status}: ${later}`]
        : ["invalid_request", `The model API rejected the request with status ${status}`];
  }
}

/** An error that came as an event, after the answer had begun. */
function explainType(type: string | null): [ModelErrorCode, string] {
  switch (type) {
    case "overloaded_error":
      return ["overloaded", "The model was overloaded while it answered"];
    case "rate_limit_error":
      return ["rate_limited", "The model API limits the rate of requests, and broke its answer off: try again later"];
    case "invalid_request_error":
      return ["invalid_request", "The model API rejected the request after it had begun to answer"];
    default:
      return ["broken_stream", "The model API broke its answer off with an error"];
  }
}
