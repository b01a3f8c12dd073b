// A server on 127.0.0.1 for the test that runs.
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";

import { onTestFinished } from "vitest";

/** Resolves to its origin. It ends with the test, whatever is still open. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}
