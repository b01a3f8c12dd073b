// Streams over real connections that fall silent.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

import { afterAll, beforeAll, expect, test } from "vitest";

import { heardFetch } from "#shared/a2a/heard-fetch.ts";

const LIMIT_MS = 200;
let answer: (response: ServerResponse) => void;
const server = createServer((_, response) => answer(response));
let url: string;

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test("a stream goes on as long as something comes in time", async () => {
  answer = (response) => {
    let left = 5;
    const timer = setInterval(() => {
      response.write("x");
      if (--left > 0) return;
      clearInterval(timer);
      response.end();
    }, LIMIT_MS / 2);
  };
  const heard = heardFetch(fetch, LIMIT_MS);
  expect(await (await heard.fetch(url)).text()).toBe("xxxxx");
  expect(heard.wasSilent()).toBe(false);
});

test.each([
  ["before it answers", () => {}],
  ["in the middle of its answer", (response: ServerResponse) => void response.write("x")],
])("a server that falls silent %s is given up", async (_, silent) => {
  answer = silent;
  const heard = heardFetch(fetch, LIMIT_MS);
  const asked = heard.fetch(url).then(async (response) => response.text());
  await expect(asked).rejects.toThrow("nothing was heard for 0.2 s");
  expect(heard.wasSilent()).toBe(true);
});

test("who leaves earlier hears why, and that was no silence", async () => {
  answer = () => {};
  const heard = heardFetch(fetch, LIMIT_MS);
  const asked = heard.fetch(url, { signal: AbortSignal.abort(new Error("left")) });
  await expect(asked).rejects.toThrow("left");
  expect(heard.wasSilent()).toBe(false);
});
