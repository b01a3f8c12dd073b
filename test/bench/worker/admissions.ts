// Signs requests, and admits them as the front door does, bodies included, many at a time. One step a request.
import * as z from "zod";
import { signRequest } from "#shared/a2a/peer-token.ts";
import { admit } from "#shared/agent/front-door/admit.ts";
import { readAnyJson } from "#shared/http/read-json.ts";
import { privateKeyOf, publicKeyOf } from "../../support/test-signers.ts";

const Wish = z.object({
  /** sign: makes the headers of many requests. admit: admits as many requests with them. */
  step: z.enum(["sign", "admit"]),
  /** What the requests carry: nothing, another agent's token, or a person's key. */
  with: z.enum(["nothing", "token", "key"]),
  count: z.int(),
});

const URL = "https://bench.test/message:stream";
const BODY = JSON.stringify({ message: { messageId: "m", parts: [{ text: "x".repeat(500) }] } });
const KEY = `troupe_bench_${"A".repeat(65)}`;
const ACCOUNT = { name: "bench", account: "bench", scopes: ["ask"], expiresAt: null };
const MANDATE = { from: "asker", to: "bench", job: "bench", principal: "local", chain: ["asker"], query: "q" };
const SIGNING_KEY = privateKeyOf("asker");

const config = {
  job: "bench",
  id: "bench",
  url: "https://bench.test",
  model: { provider: "offline", name: "m", maxTokens: 1, contextTokens: 1, baseUrl: "https://model.test" },
  permissions: { preset: "full_access", mode: "default", allow: null, ask: [], deny: [] },
  approvals: { expiresMs: 1, policy: [] },
  queryBudget: null,
  turnsAtOnce: 1,
  budget: { maxTurns: 1, maxWallMs: 1 },
  topology: "static",
  peers: [],
  cors: [],
  accounts: "optional",
  // As many as a large job has.
  callers: Array.from({ length: 30 }, (_, n) => (n === 15 ? "asker" : `agent_${n}`)).map((id) => {
    return { id, key: publicKeyOf(id) };
  }),
  tracing: { enabled: true, content: "none" },
  secrets: [],
  heartbeat: { intervalMs: 1 },
  config: {},
};
const env = {
  AGENT: config,
  TROUPE_TOKEN: "",
  CONTROL_PLANE: { fetch: async () => Response.json(ACCOUNT) },
};

let headers: Record<string, string>[] = [];

export default {
  async fetch(request: Request): Promise<Response> {
    const { step, count, with: carried } = Wish.parse(await request.json());
    if (step === "sign") {
      headers = Array.from({ length: count }, () => headersOf(carried));
      return new Response();
    }
    for (const own of headers) {
      const one = new Request(URL, { method: "POST", headers: own, body: BODY });
      const admitted = await admit(one, env);
      if ("status" in admitted) throw new Error(admitted.detail);
      if (!(await readAnyJson(one, 1_000_000)).ok) throw new Error("It cannot be read.");
    }
    return new Response();
  },
};

function headersOf(kind: z.infer<typeof Wish>["with"]): Record<string, string> {
  const type = { "content-type": "application/json" };
  switch (kind) {
    case "nothing":
      return type;
    case "key":
      return { ...type, authorization: `Bearer ${KEY}` };
    case "token": {
      const token = signRequest(SIGNING_KEY, MANDATE, {
        method: "POST",
        path: "/message:stream",
        body: BODY,
        messageId: "m",
      });
      return { ...type, authorization: `Bearer ${token}` };
    }
  }
}
