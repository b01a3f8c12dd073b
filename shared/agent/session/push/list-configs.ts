// One page of a task's push configs, by their ids (A2A 1.0, section 3.1.9). Pure.
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { fromBase64url, toBase64url } from "../../../a2a/base64url.ts";
import type { PushConfig } from "./push-store.ts";

const MAX_PAGE_SIZE = 100;

/** `pageSize`: 0 where it is not set. The token is "" on the last page. Throws RequestMalformed. */
export function listConfigs(
  configs: readonly PushConfig[],
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
): { readonly page: readonly PushConfig[]; readonly nextPageToken: string } {
  if (!Number.isInteger(pageSize) || pageSize < 0 || pageSize > MAX_PAGE_SIZE)
    throw new RequestMalformedError(`pageSize must be a whole number from 1 to ${MAX_PAGE_SIZE}.`);
  const after = pageToken === "" ? "" : fromBase64url(pageToken);
  if (after === undefined) throw new RequestMalformedError("pageToken is not one that this agent gave out.");
  const rest = configs.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = rest.slice(0, pageSize || MAX_PAGE_SIZE);
  const last = page.at(-1);
  return { page, nextPageToken: last && page.length < rest.length ? toBase64url(last.id) : "" };
}
