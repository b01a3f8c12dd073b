// Failures of the Messages API in words for the person who asked. No address is named: the words may reach another agent's model.
import { reasonOf } from "../tracing/reason.ts";
import { AnthropicError, APIError } from "@anthropic-ai/sdk/core/error";
import * as z from "zod";
import { ModelError, type ModelErrorCode } from "./model.ts";

/** The API's error body. */
const Body = z.object({ error: z.object({ message: z.string() }) });

/** What the client threw, as a ModelError with what to do. */
export function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  if (isApiError(error)) {
    const [code, advice] = explain(error);
    const said = Body.safeParse(error.error).data?.error.message ?? (error.status === undefined ? error.message : "");
    return new ModelError(code, said === "" ? `${advice}.` : `${advice}. The API said: ${said}`, { cause: error });
  }
  const reason = reasonOf(error);
  const broken = error instanceof AnthropicError || error instanceof SyntaxError || error instanceof TypeError;
  return broken
    ? new ModelError("broken_stream", `The model's answer broke off or was malformed: ${reason}`, { cause: error })
    : new ModelError("unavailable", `The model could not be reached: ${reason}`, { cause: error });
}

/** Narrows to the type's defaults: the class's own parameters are any. */
function isApiError(error: unknown): error is APIError {
  return error instanceof APIError;
}

function explain({ status, type }: APIError): [ModelErrorCode, string] {
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
      return ["rate_limited", "The model API limits the rate of requests (429): try again later"];
    case 529:
      return ["overloaded", "The model API is overloaded (529): try again later"];
    case undefined:
      return type === "overloaded_error"
        ? ["overloaded", "The model was overloaded while it answered"]
        : ["unavailable", "The model API could not be reached"];
    default:
      return status >= 500
        ? ["unavailable", `The model API failed with status ${status}: try again later`]
        : ["invalid_request", `The model API rejected the request with status ${status}`];
  }
}
