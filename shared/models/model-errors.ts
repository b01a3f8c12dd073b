// Failures of the Messages API as ModelErrors for people. Messages name no address: another agent's model may read
// them.
import { reasonOf } from "../text/reason.ts";
import { AnthropicError, APIConnectionError, APIError } from "@anthropic-ai/sdk/core/error";
import * as z from "zod";
import { ModelError, type ModelErrorCode } from "./model.ts";
import { retryAfterSeconds, hasRetryTime } from "../http/retry-after.ts";
import { isTooLongMessage, timesTooLong } from "./too-long.ts";

/** Characters kept of the API's own message. */
const MAX_SAID = 1_000;

/** The API's error body. */
const Body = z.object({ error: z.object({ message: z.string() }) });

/** Converts what a request or its answer threw into a ModelError that says what to do. */
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
  // Some servers put the reason into a type or code, some send another body.
  const all = `${type ?? ""} ${error.message}`;
  const isTooLong = status === 413 || ((status ?? 400) === 400 && isTooLongMessage(all));
  const [code, advice] = isTooLong
    ? (["prompt_too_long", "The conversation does not fit the model's context"] as const)
    : status === undefined
      ? explainType(type)
      : explainStatus(status, headers);
  const message = said === "" ? `${advice}.` : `${advice}. The API said: ${bounded(said)}`;
  return new ModelError(code, message, {
    cause: error,
    // A response with a status comes before any answer, and has been retried.
    ...(status === undefined ? {} : { retryable: false }),
    timesTooLong: timesTooLong(said),
    isBusy: (status === 503 || status === 529) && headers !== undefined && hasRetryTime(headers),
  });
}

/**
 * No answer came, or only a part; whether the request arrived is unknown. The cause is quoted, not linked: the API's
 * client would take a linked cause for a connection error of its own, and retry.
 */
export function connectionLost(cause: unknown): ModelError {
  const reason = bounded(reasonOf(cause));
  if (NO_ADDRESS.some((words) => reason.includes(words)))
    return new ModelError(
      "wrong_address",
      "The address of the model API is none: set ANTHROPIC_BASE_URL to one that begins with http:// or https:// and deploy again.",
    );
  const advice = mayBeWrongAddress(cause) ? ". Where it stays so, check ANTHROPIC_BASE_URL" : "";
  return new ModelError("connection_lost", `The connection to the model API failed or broke: ${reason}${advice}`);
}

/** How workerd and Node begin to say that an address is malformed. */
const NO_ADDRESS = ["Fetch API cannot load", "Invalid URL", "Failed to parse URL"];
/** workerd's messages for a lost or refused connection, and for an unknown name or a failed handshake. */
const WORKERD_SAYS = ["Network connection lost.", "internal error"];
/** Node's codes for connections that were never established. */
const NEVER_CONNECTED =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|(?:ERR_)?(?:SSL|TLS|CERT).{0,60})$/;
const Caused = z.object({ cause: z.object({ code: z.string() }) });

function mayBeWrongAddress(error: unknown): boolean {
  const said = reasonOf(error);
  if (WORKERD_SAYS.some((words) => said.startsWith(words))) return true;
  return NEVER_CONNECTED.test(Caused.safeParse(error).data?.cause.code ?? "");
}

/** Narrows to the class with its default type parameters, which are `any` in the class itself. */
export function isApiError(error: unknown): error is APIError {
  return error instanceof APIError;
}

/** Statuses of a path that a server does not have. */
const NOT_SERVED: ReadonlySet<number | undefined> = new Set([404, 405, 501]);

/** Whether the server has no such path. */
export function isNotServed(error: unknown): boolean {
  return isApiError(error) && NOT_SERVED.has(error.status);
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
        "The model API does not allow this key to use this model (403): check the key's workspace and the model's name, or set ANTHROPIC_API_KEY to another key",
      ];
    case 404:
    case 405:
      return [
        "invalid_request",
        `The model API has no such path or no such model (${status}): check ANTHROPIC_BASE_URL and the model's name`,
      ];
    case 429:
      return ["rate_limited", `The model API limits the rate of requests (429): ${later}`];
    case 529:
      return ["overloaded", `The model API is overloaded (529): ${later}`];
    default:
      if (status < 400)
        return [
          "wrong_address",
          `The model API answered with a redirect (${status}), which is not followed: set ANTHROPIC_BASE_URL to the address that it leads to`,
        ];
      return status >= 500
        ? ["unavailable", `The model API failed with status ${status}: ${later}`]
        : ["invalid_request", `The model API rejected the request with status ${status}`];
  }
}

/** An error event, after the answer had begun. */
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
