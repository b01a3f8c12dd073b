// HTTP as bytes: for requests that no client library would send.
import { once } from "node:events";
import { connect } from "node:net";

/** Sends `lines` to a server on this machine; resolves to the status line, headers and body of its answer. */
export async function rawRequest(url: string, lines: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  socket.write([...lines, "Connection: close", "", ""].join("\r\n"));
  await once(socket, "close");
  return answer;
}
