// Services, their secrets, who refers to them, and their names on the internet.
import * as z from "zod";

import { newId } from "../account/account.ts";
import { ApiError } from "../account/api-error.ts";
import { changeSecrets, deleteWorker, secretsOf } from "../account/publish.ts";
import { type ApiCall, json, Listed, nameOf, route } from "./route.ts";
import { serviceShape } from "./shapes.ts";

const WORKERS = "/accounts/:account/workers";
const SCRIPT = `${WORKERS}/scripts/:name`;

const Secret = z.object({ name: z.string(), text: z.string(), type: z.literal("secret_text") });
const Secrets = z.object({ secrets: z.record(z.string(), Secret.nullable()) });
const NewDomain = z.object({
  hostname: z.string(),
  service: z.string(),
  zone_id: z.string().optional(),
  zone_name: z.string().optional(),
});

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
  route(`GET ${WORKERS}/subdomain`, ({ account }) => ({ subdomain: account.subdomain })),
  route(`GET ${WORKERS}/domains`, ({ account, query }) => {
    const asked = ["hostname", "service", "zone_id", "zone_name"] as const;
    return new Listed(
      account.domains.filter((domain) => asked.every((key) => (query.get(key) ?? domain[key]) === domain[key])),
    );
  }),
  route(`PUT ${WORKERS}/domains`, (call) => {
    const { hostname, service, zone_id: zoneId = newId(), zone_name: zoneName } = json(NewDomain, call);
    call.account.service(service);
    const at = call.account.domains.findIndex((one) => one.hostname === hostname);
    const former = call.account.domains[at];
    const domain = {
      id: former?.id ?? newId(),
      hostname,
      service,
      environment: "production",
      zone_id: former?.zone_id ?? zoneId,
      zone_name: zoneName ?? hostname.split(".").slice(-2).join("."),
    };
    call.account.domains.splice(at === -1 ? call.account.domains.length : at, 1, domain);
    return domain;
  }),
  route(`DELETE ${WORKERS}/domains/:domain`, ({ account, params }) => {
    const at = account.domains.findIndex(({ id }) => id === params["domain"]);
    if (at === -1) throw new ApiError(404, 100_114, "The custom domain does not exist.");
    account.domains.splice(at, 1);
    return null;
  }),
];
