// Whether a push config makes sense, and whether this agent may send to its address. Pure.
import type { TaskPushNotificationConfig } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { isPublicHost } from "../../../tools/public-address.ts";
import type { PushConfig } from "./push-store.ts";

/** Longest fields, in characters. */
const LONGEST = [
  ["id", 200],
  ["url", 2_048],
  ["token", 4_096],
  ["scheme", 100],
  ["credentials", 8_192],
] as const;
/** RFC 9110, section 5.6.2. */
const SCHEME = /^[\w!#$%&'*+.^`|~-]*$/;
/** What a header can hold of ASCII. */
const HEADER_TEXT = /^[\x20-\x7e]*$/;

/** Throws RequestMalformed. `allowed`: origins that the operator allowed beside public ones. Gives an id to a config without one. */
export function checkConfig(
  config: TaskPushNotificationConfig,
  allowed: readonly string[],
): Omit<PushConfig, "isLegacy"> {
  const { id, url, token, authentication } = config;
  const { scheme = "", credentials = "" } = authentication ?? {};
  const checked = { id, url, token, scheme, credentials };
  for (const [name, most] of LONGEST) {
    const { length } = checked[name];
    if (length > most)
      throw new RequestMalformedError(`The push config's ${name} has ${length} characters; the limit is ${most}.`);
  }
  const flaw = flawOf(url, allowed);
  if (flaw !== undefined) throw new RequestMalformedError(`The push config's url ${flaw}.`);
  if (!/^\P{Cc}*$/u.test(id) || !id.isWellFormed())
    throw new RequestMalformedError("The push config's id holds control characters or half a surrogate pair.");
  if (!HEADER_TEXT.test(token))
    throw new RequestMalformedError("The push config's token holds signs that no HTTP header can carry.");
  if (!SCHEME.test(scheme) || (scheme === "" && credentials !== ""))
    throw new RequestMalformedError(
      "The push config's authentication.scheme must be the name of an HTTP authentication scheme, such as Bearer.",
    );
  if (!HEADER_TEXT.test(credentials))
    throw new RequestMalformedError(
      "The push config's authentication.credentials hold signs that no HTTP header can carry.",
    );
  return { ...checked, id: id === "" ? crypto.randomUUID() : id };
}

/** Why nothing may be sent to an address; undefined where it may. Resolves no name: workerd refuses private addresses behind public names. */
export function flawOf(url: string, allowed: readonly string[]): string | undefined {
  if (url === "") return "is missing: name the https or http address that takes the notifications";
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return "must be an https or http address";
  if (parsed.username !== "" || parsed.password !== "")
    return "must not hold a user or a password: put credentials into authentication";
  if (allowed.includes(parsed.origin) || isPublicHost(parsed.hostname)) return undefined;
  return `leads to a private address (${parsed.host}): only the operator can allow it, by push.allow in the job file`;
}
