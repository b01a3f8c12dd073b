import { expect, test } from "vitest";

import { planJob } from "#jobs/plan/plan.ts";
import { COMMAND_LINE, verifyRequest } from "#shared/a2a/peer-token.ts";

import { DEV_PLACEMENT } from "../../../../scripts/dev/places.ts";
import { routerFetch } from "../../../../scripts/dev/router-fetch.ts";
import { jobWith } from "../../jobs/support.ts";
import { generateKeyPairSync } from "node:crypto";

test("a request goes to the router, and is signed for the path that the agent sees", async () => {
  const pair = generateKeyPairSync("ed25519");
  const publicKey = pair.publicKey.export({ format: "jwk" }).x ?? "";
  const privateKey = pair.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64url");
  const plan = planJob(jobWith("{ type: hub-spoke, hub: a, spokes: [b, c, d] }"), {
    hasAnthropicKey: false,
    ports: {},
    objects: {},
    placement: DEV_PLACEMENT,
    developmentOrigin: "http://localhost:8787",
    publicKeys: { [COMMAND_LINE]: publicKey },
  });
  const secrets = { key: "", variables: {}, signing: { [COMMAND_LINE]: { private: privateKey, public: publicKey } } };
  const sent: Request[] = [];
  const send: typeof fetch = async (input, init) => {
    sent.push(new Request(input, init));
    return new Response();
  };

  const url = "http://localhost:8787/agents/b";
  await routerFetch(plan, secrets, url, send)(`${url}/corpus/manifest?all=1`);

  const [request] = sent;
  expect(request?.url).toBe(`${url}/corpus/manifest?all=1`);
  const token = request?.headers.get("authorization")?.replace("Bearer ", "") ?? "";
  const receiver = { id: "b", job: "x", callers: [{ id: COMMAND_LINE, key: publicKey }] };
  expect(verifyRequest(token, receiver, { method: "GET", path: "/corpus/manifest?all=1" })).toBeDefined();
});
