// `fetch` for what this machine has deployed. Where Cloudflare Access stands in front of a job, the token of a service lets it pass.
// https://developers.cloudflare.com/cloudflare-one/access-controls/service-credentials/service-tokens/

const onCloudflare = new Set<string>();

/** From now on these addresses are known as the user's own on Cloudflare: they get the token, and no other does. */
export function knowOnCloudflare(urls: Iterable<string>): void {
  for (const url of urls) onCloudflare.add(new URL(url).origin);
}

/** A request with the token follows no redirect, which could lead elsewhere. */
export const ownFetch: typeof fetch = async (input, init) => {
  const { origin } = new URL(input instanceof Request ? input.url : input);
  const token = onCloudflare.has(origin) ? accessToken(process.env) : undefined;
  if (token === undefined) return fetch(input, init);
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  for (const [name, value] of Object.entries(token)) headers.set(name, value);
  return fetch(input, { ...init, headers, redirect: "manual" });
};

/** Undefined unless both variables are set. */
function accessToken(environment: NodeJS.ProcessEnv): Record<string, string> | undefined {
  const id = (environment["CLOUDFLARE_ACCESS_CLIENT_ID"] ?? "").trim();
  const secret = (environment["CLOUDFLARE_ACCESS_CLIENT_SECRET"] ?? "").trim();
  return id === "" || secret === "" ? undefined : { "cf-access-client-id": id, "cf-access-client-secret": secret };
}
