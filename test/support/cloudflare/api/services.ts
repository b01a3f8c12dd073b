// Services, their secrets, and who refers to them.
import * as z from "zod";

import { changeSecrets, deleteWorker, secretsOf } from "../account/publish.ts";
import { type ApiCall, json, Listed, nameOf, route } from "./route.ts";
import { serviceShape } from "./shapes.ts";

const WORKERS = "/accounts/:account/workers";
const SCRIPT = `${WORKERS}/scripts/:name`;

const Secret = z.object({ name: z.string(), text: z.string(), type: z.literal("secret_text") });
const Secrets = z.object({ secrets: z.record(z.string(), Secret.nullable()) });

const script = (call: ApiCall) => call.account.worker(nameOf(call));
const secretShape = (name: string) => ({ name, type: "secret_text" });

export const SERVICE_ROUTES = [
  route(`GET ${WORKERS}/services/:name`, (call) => serviceShape(call.account.service(nameOf(call)))),
  route(`DELETE ${WORKERS}/services/:name`, (call) => {
    deleteWorker(call.account, nameOf(call), call.query.get("force") === "true");
    return null;
  }),
  route(`DELETE ${SCRIPT}`, (call) => {
    script(call);
    deleteWorker(call.account, nameOf(call), call.query.get("force") === "true");
    return null;
  }),
  route(`GET ${SCRIPT}/references`, (call) => {
    script(call);
    const name = nameOf(call);
    const references = call.account.referencesTo(name);
    return {
      services: {
        incoming: references
          .filter(({ binding }) => binding.type === "service")
          .map(({ worker, binding }) => ({ service: worker.name, environment: "production", name: binding.name })),
        outgoing: [],
        pages_function: false,
      },
      durable_objects: references.flatMap(({ worker, binding }) =>
        binding.type === "durable_object_namespace"
          ? [
              {
                service: worker.name,
                environment: "production",
                name: binding.name,
                durable_object_namespace_name: `${name}_${binding.class_name}`,
              },
            ]
          : [],
      ),
      dispatch_outbounds: [],
    };
  }),
  route(`GET ${SCRIPT}/secrets`, (call) => new Listed(secretsOf(script(call)).map(secretShape))),
  route(`PUT ${SCRIPT}/secrets`, (call) => {
    const { name, text } = json(Secret, call);
    changeSecrets(script(call), { [name]: text });
    return secretShape(name);
  }),
  route(`DELETE ${SCRIPT}/secrets/:secret`, (call) => {
    changeSecrets(script(call), { [call.params["secret"] ?? ""]: null });
    return null;
  }),
  route(`PATCH ${SCRIPT}/secrets-bulk`, (call) => {
    const { secrets } = json(Secrets, call);
    const texts = Object.entries(secrets).map(([name, secret]) => [name, secret?.text ?? null] as const);
    changeSecrets(script(call), Object.fromEntries(texts));
    return secretsOf(script(call)).map(secretShape);
  }),
  // After a deletion wrangler looks for namespaces of sites of older kinds.
  route("GET /accounts/:account/storage/kv/namespaces", () => new Listed([])),
  route(`GET ${WORKERS}/subdomain`, ({ account }) => ({ subdomain: account.subdomain })),
];
