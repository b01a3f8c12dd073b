// Fetches the card of an agent of others, or its keys: JSON within limits of size and time, from its own origin alone.
import { A2A_PROTOCOL_VERSION, A2A_VERSION_HEADER } from "@a2a-js/sdk";
import { readBytes } from "../../http/read-body.ts";
import { parseJson } from "../../text/parse-json.ts";

const MAX_BYTES = 256 * 1024;
const MAX_REDIRECTS = 3;

/** The JSON at `address`. Follows redirects within its origin. Throws an Error that says what is wrong, or that of `fetchImpl`. */
export async function fetchCard(fetchImpl: typeof fetch, address: string, signal: AbortSignal): Promise<unknown> {
  const { origin } = new URL(address);
  let url = address;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = { accept: "application/json", [A2A_VERSION_HEADER]: A2A_PROTOCOL_VERSION };
    const response = await fetchImpl(url, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      const next = URL.parse(location, url);
      if (next?.origin !== origin) throw new Error("it leads to another server");
      url = next.href;
      continue;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`there is no card: ${new URL(url).pathname} answers with status ${response.status}`);
    }
    const bytes = await readBytes(response.body, MAX_BYTES);
    if (bytes === "too-large") throw new Error(`its card has more than ${MAX_BYTES / 1024} KB`);
    const json = parseJson(new TextDecoder().decode(bytes));
    if (typeof json !== "object" || json === null) throw new Error("what is there is no A2A card: it is no JSON");
    return json;
  }
  throw new Error(`it leads on more than ${MAX_REDIRECTS} times`);
}
