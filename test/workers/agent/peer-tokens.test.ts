// Tokens of other agents at the front door: only the right sender's, for this agent and this request, and only once.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { formatTaskId } from "#shared/a2a/task-id.ts";
import { privateKeyOf, signedBy } from "../../support/test-signers.ts";
import { ask, client, knock, post, postSigned, send } from "./client.ts";

const PATH = "/message:send";
const message = { messageId: "m", role: "ROLE_USER", contextId: "tokens~other.1", parts: [{ text: "say hi" }] };
const request = { method: "POST", path: PATH, body: JSON.stringify({ message }), messageId: "m" };

async function sends(headers: Record<string, string>, body: object = { message }) {
  const response = await post(PATH, JSON.stringify(body), headers);
  return [response.status, response.headers.get("www-authenticate")];
}

it("a message that another agent has signed is taken, in both bindings", async () => {
  expect((await postSigned(PATH, { message })).status).toBe(200);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message } });
  const headers = signedBy({}, { method: "POST", path: "/jsonrpc", body });
  expect(await (await post("/jsonrpc", body, headers)).json()).toMatchObject({
    result: { task: { id: expect.any(String) } },
  });
});

it.each<[string, () => Record<string, string>]>([
  ["forged", () => signedBy({}, request, privateKeyOf("nobody"))],
  ["another agent's, in this agent's name", () => signedBy({}, request, privateKeyOf("third"))],
  ["meant for another agent", () => signedBy({ to: "third" }, request)],
  ["of another job", () => signedBy({ job: "other-job" }, request)],
  ["of an agent that may not ask", () => signedBy({ from: "stranger", chain: ["stranger"] }, request)],
  ["for another path", () => signedBy({}, { ...request, path: "/message:stream" })],
  ["no token", () => ({ authorization: "Bearer nonsense" })],
])("a token that is %s is refused with 401", async (_, headers) => {
  expect(await sends(headers())).toEqual([401, "Bearer"]);
});

it("a token that is used again is refused, also with its own message", async () => {
  const headers = signedBy({}, request);
  expect((await sends(headers))[0]).toBe(200);
  expect((await sends(headers))[0]).toBe(401);
});

it("a token takes no other body than the signed one", async () => {
  const other = { message: { ...message, parts: [{ text: "say something else" }] } };
  expect((await sends(signedBy({}, request), other))[0]).toBe(401);
  const rpc = { jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message } };
  const headers = signedBy({}, { method: "POST", path: "/jsonrpc", body: JSON.stringify(rpc) });
  expect((await post("/jsonrpc", { ...rpc, id: 2 }, headers)).status).toBe(401);
});

it("a token takes no other message than the one that it names", async () => {
  expect((await sends(signedBy({}, { ...request, messageId: "another" })))[0]).toBe(401);
});

it("with a bad token, a task that exists and one that does not are refused alike", async () => {
  const task = await send(await client("JSONRPC"), ask("say mine"));
  const answers = await Promise.all(
    [task.id, "no-such-task"].map(async (id) => {
      const path = `/tasks/${id}`;
      const headers = signedBy({}, { method: "GET", path }, privateKeyOf("nobody"));
      const response = await knock(path, { headers: { "a2a-version": "1.0", ...headers } });
      return [response.status, await response.text()];
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.[0]).toBe(401);
});

it("an agent sees the tasks of its own threads only, whoever the person behind them is", async () => {
  const task = await send(await client("JSONRPC"), ask("say mine", "of-a-person"));
  const own = (await (await postSigned(PATH, { message })).json<{ task: { id: string } }>()).task;
  const madeUp = formatTaskId(
    env.TROUPE_KEY,
    { agent: "tester", principal: "local" },
    { contextId: "tokens~other.1", n: 99 },
  );
  const get = async (id: string, from = "other") => {
    const path = `/tasks/${id}`;
    const headers = signedBy({ from, chain: [from] }, { method: "GET", path });
    const response = await knock(path, { headers: { "a2a-version": "1.0", ...headers } });
    return [response.status, (await response.text()).replaceAll(id, "ID")];
  };
  expect((await get(own.id))[0]).toBe(200);
  const missing = await get(madeUp);
  expect(missing[0]).toBe(404);
  expect(await get(task.id)).toEqual(missing);
  expect(await get(own.id, "third")).toEqual(missing);
  for (const path of ["/tasks", "/tasks?contextId=of-a-person"]) {
    const headers = { "a2a-version": "1.0", ...signedBy({}, { method: "GET", path }) };
    expect((await knock(path, { headers })).status).toBe(400);
  }
});

it("the command line asks in the name of the person at the machine", async () => {
  const task = await send(await client("JSONRPC"), ask("say mine"));
  const path = `/tasks/${task.id}`;
  const headers = signedBy({ from: COMMAND_LINE, chain: [] }, { method: "GET", path });
  expect((await knock(path, { headers: { "a2a-version": "1.0", ...headers } })).status).toBe(200);
});
