// Tails of Workers: WebSockets of the protocol `trace-v1`, to which the events of a Worker are sent as they come.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { newId } from "../account/account.ts";

const PROTOCOL = "trace-v1";
/** RFC 6455, section 1.3. */
const WEBSOCKET_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;

export class Tails {
  readonly #workers = new Map<string, string>();
  readonly #sockets = new Map<string, Duplex>();

  open(worker: string): string {
    const id = newId();
    this.#workers.set(id, worker);
    return id;
  }

  close(id: string): void {
    this.#workers.delete(id);
    this.#sockets.get(id)?.end(Buffer.from([CLOSE, 0]));
    this.#sockets.delete(id);
  }

  /** Takes over the socket of `GET /tails/:id`. */
  connect(request: IncomingMessage, socket: Duplex): void {
    const id = request.url?.split("/").at(-1) ?? "";
    const key = request.headers["sec-websocket-key"];
    if (!this.#workers.has(id) || key === undefined || request.headers["sec-websocket-protocol"] !== PROTOCOL) {
      socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const accept = createHash("sha1").update(`${key}${WEBSOCKET_KEY}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: ${PROTOCOL}\r\n\r\n`,
    );
    this.#sockets.set(id, socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(id));
    // Frames of clients are short, and come whole: the settings at first, then pings, then the end.
    socket.on("data", (frame: Buffer) => {
      if (frame[0] === PING) socket.write(Buffer.from([PONG, 0]));
      else if (frame[0] === CLOSE) socket.end(Buffer.from([CLOSE, 0]));
    });
  }

  /** `event`: a trace item as workerd tells it, which does not know the Worker's name. */
  send(worker: string, event: object): void {
    for (const [id, tailed] of this.#workers) {
      if (tailed !== worker) continue;
      this.#sockets.get(id)?.write(frameOf(JSON.stringify({ ...event, scriptName: worker })));
    }
  }

  dispose(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(10);
  head[0] = TEXT;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (payload.length >= 2 ** 16) return Buffer.concat([head, payload]);
  if (payload.length < 126) return Buffer.concat([Buffer.from([TEXT, payload.length]), payload]);
  const short = Buffer.from([TEXT, 126, 0, 0]);
  short.writeUInt16BE(payload.length, 2);
  return Buffer.concat([short, payload]);
}
