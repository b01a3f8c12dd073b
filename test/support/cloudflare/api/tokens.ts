// Tokens of the API and what they may do, answered as Cloudflare does: 9109 for a token or an account that is not there, 10000 for
// a right that is missing.
import { newId } from "../account/account.ts";
import { ApiError } from "../account/api-error.ts";

/** `user` reads who the token's owner is, `read` and `edit` are about Workers. */
export type Right = "read" | "edit" | "user";

export interface Token {
  readonly id: string;
  readonly rights: readonly Right[];
  readonly accounts: readonly string[];
}

export class Tokens {
  readonly #tokens = new Map<string, Token>();

  add(token: string, rights: readonly Right[], accounts: readonly string[]): void {
    this.#tokens.set(token, { id: newId(), rights, accounts });
  }

  /** The token of a request, if it may make it. Throws ApiError. */
  check(authorization: string | undefined, method: string, path: string): Token {
    const token = this.#tokens.get(authorization?.match(/^Bearer (\S+)$/)?.[1] ?? "");
    if (token === undefined) {
      if (authorization === undefined)
        throw new ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
      throw path === "/user/tokens/verify"
        ? new ApiError(401, 1000, "Invalid API Token")
        : new ApiError(403, 9109, "Invalid access token");
    }
    const account = path.match(/^\/accounts\/([^/]+)/)?.[1];
    if (account !== undefined && !token.accounts.includes(account)) {
      throw new ApiError(403, 9109, "Unauthorized to access requested resource");
    }
    if (path === "/user" && !token.rights.includes("user")) {
      throw new ApiError(403, 9109, "Unauthorized to access requested resource");
    }
    const needs = neededRight(method, path);
    if (needs !== undefined && !token.rights.includes(needs)) throw new ApiError(403, 10_000, "Authentication error");
    return token;
  }
}

function neededRight(method: string, path: string): Right | undefined {
  if (path === "/memberships") return "user";
  if (!path.startsWith("/accounts/") && !path.startsWith("/zones")) return undefined;
  return method === "GET" ? "read" : "edit";
}
