// A route of the API: its template, which also names it for tests, and what it does.
import * as z from "zod";

import { badRequest } from "../account/api-error.ts";
import type { Account } from "../account/account.ts";
import type { Token } from "./tokens.ts";
import type { Tails } from "./tails.ts";

export interface ApiCall {
  readonly account: Account;
  readonly tails: Tails;
  readonly token: Token;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Buffer;
  /** Where the API is: `http://127.0.0.1:port`. */
  readonly origin: string;
}

/** Wraps a list, whose envelope says how long it is. */
export class Listed {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

export interface Route {
  /** Such as `GET /accounts/:account/workers/scripts/:name`. */
  readonly template: string;
  readonly method: string;
  readonly segments: readonly string[];
  /** Returns the result of the envelope. Throws ApiError. */
  readonly answer: (call: ApiCall) => unknown;
}

export function route(template: string, answer: Route["answer"]): Route {
  const [method = "", path = ""] = template.split(" ");
  return { template, method, segments: path.split("/"), answer };
}

/** The values of the template's names, or undefined where the path is another one. */
export function match({ method, segments }: Route, asked: string, path: string): Record<string, string> | undefined {
  const parts = path.split("/");
  if (method !== asked || parts.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = decodeURIComponent(parts[index] ?? "");
    if (segment.startsWith(":")) params[segment.slice(1)] = part;
    else if (segment !== part) return undefined;
  }
  return params;
}

/** Of a route with `:name`. */
export function nameOf({ params }: ApiCall): string {
  return params["name"] ?? "";
}

/** The body as this JSON; throws ApiError where it is something else. */
export function json<T>(schema: z.ZodType<T>, { body }: ApiCall): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    throw badRequest("The body is not JSON.");
  }
  const read = schema.safeParse(parsed);
  if (!read.success) throw badRequest(z.prettifyError(read.error));
  return read.data;
}
