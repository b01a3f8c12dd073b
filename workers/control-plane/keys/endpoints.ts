// Keys over HTTP. Only the job's own token makes, lists and revokes them: no key can make another.
import * as wire from "#shared/control-plane/keys.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { checkValue } from "#shared/http/read-json.ts";
import { requireToken } from "../auth.ts";
import { Endpoints, type JobContext, withBody } from "../endpoints.ts";
import { jsonBody, pathParameter, responses, schemaOf } from "../openapi-parts.ts";
import type { KeysRpc } from "../rpc.ts";

const MAX_BODY_BYTES = 4 * 1024;

export const keySchemas = {
  NewKey: schemaOf(wire.NewKey, "input"),
  MadeKey: schemaOf(wire.MadeKey, "output"),
  KeyList: schemaOf(wire.KeyList, "output"),
  Account: schemaOf(wire.Account, "output"),
};

export const keyEndpoints = new Endpoints("/v1/keys", requireToken);

keyEndpoints.add("/", {
  get: {
    summary: "List keys, also those that count no more",
    responses: responses(200, "KeyList", [403]),
    serve: async (c) => c.json({ keys: await keysOf(c).list() }),
  },
  post: {
    summary: "Make a key, which is shown only now",
    requestBody: jsonBody("NewKey"),
    responses: responses(201, "MadeKey", [400, 403, 409, 413, 415]),
    serve: withBody(wire.NewKey, MAX_BODY_BYTES, async (c, wanted) => {
      // In development there is no secret, and nobody needs a key.
      const key = wire.newKeyText(c.var.job, c.env.TROUPE_SECRET ?? "development");
      const made = await keysOf(c).create(wire.hashOfKey(key), wanted);
      switch (made) {
        case "taken":
          return problemResponse(problem("key-exists", `There is a key "${wanted.name}". Revoke it first.`));
        case "full":
          return problemResponse(FULL);
        default:
          return c.json({ ...made, key } satisfies wire.MadeKey, 201);
      }
    }),
  },
});

keyEndpoints.add(
  "/hashes/:hash",
  {
    get: {
      agents: true,
      summary: "Say what the key of a hash allows",
      responses: responses(200, "Account", [400, 404]),
      serve: async (c, hash) => {
        const read = checkValue(hash, wire.KeyHash);
        if (!read.ok) return problemResponse(read.problem);
        const account = await keysOf(c).check(read.value);
        return account ? c.json(account) : problemResponse(problem("unknown-key", "No key of this hash counts."));
      },
    },
  },
  pathParameter("hash", wire.KeyHash),
);

keyEndpoints.add(
  "/:name",
  {
    delete: {
      summary: "Revoke a key",
      responses: responses(204, undefined, [403, 404]),
      serve: async (c, name) =>
        (await keysOf(c).revoke(name))
          ? c.body(null, 204)
          : problemResponse(problem("unknown-key", `There is no key ${JSON.stringify(name.slice(0, 100))}.`)),
    },
  },
  pathParameter("name", wire.KeyName),
);

const FULL = problem("keys-full", `The job has ${wire.MAX_KEYS} keys that count, which is the limit. Revoke some.`);

function keysOf(c: JobContext): DurableObjectStub<KeysRpc> {
  return c.env.KEYS.getByName(c.var.job);
}
