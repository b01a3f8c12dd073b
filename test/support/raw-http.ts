// HTTP as bytes: for requests that no client library would send.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection to a server on this machine. */
export async function rawConnection(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  // What the other side does to it is what tests look at.
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends bytes and nothing after them; resolves to all that comes back until the other side hangs up. */
export async function rawBytes(url: string, bytes: string): Promise<string> {
  const socket = await rawConnection(url);
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  socket.end(bytes, "latin1");
  await once(socket, "close");
  return answer;
}

/** Sends a request of these lines; resolves to the status line, headers and body of its answer. */
export async function rawRequest(url: string, lines: readonly string[]): Promise<string> {
  return rawBytes(url, [...lines, "Connection: close", "", ""].join("\r\n"));
}
