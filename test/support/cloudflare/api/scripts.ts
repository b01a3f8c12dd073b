// Uploads, versions, deployments and settings of scripts.
import * as z from "zod";

import { noSuchVersion } from "../account/api-error.ts";
import { addUploaded, deploy, publish } from "../account/publish.ts";
import { present, readUpload } from "../account/upload.ts";
import { versionOf } from "../account/worker.ts";
import { type ApiCall, json, Listed, nameOf, route } from "./route.ts";
import { deploymentShape, scriptShape, settingsShape, versionShape, workerShape } from "./shapes.ts";

const SCRIPTS = "/accounts/:account/workers/scripts";
const SCRIPT = `${SCRIPTS}/:name`;

const Deploy = z.object({
  strategy: z.literal("percentage"),
  versions: z.array(z.object({ version_id: z.string(), percentage: z.number().min(0).max(100) })),
  annotations: z.record(z.string(), z.string().optional()).default({}),
});
const Settings = z.looseObject({ tags: z.array(z.string()).nullish() });
const Subdomain = z.object({ enabled: z.boolean(), previews_enabled: z.boolean().optional() });

const upload = async ({ account, body, contentType }: ApiCall) =>
  readUpload(body, contentType, account.limits.scriptBytes);
const script = (call: ApiCall) => call.account.worker(nameOf(call));

function changeSettings(call: ApiCall) {
  const worker = script(call);
  const { tags, ...settings } = json(Settings, call);
  worker.tags = tags ?? worker.tags;
  worker.settings = { ...worker.settings, ...settings };
  return settingsShape(worker);
}

export const SCRIPT_ROUTES = [
  route(`GET ${SCRIPTS}`, ({ account }) => new Listed([...account.workers.values()].map(scriptShape))),
  route(`PUT ${SCRIPT}`, async (call) => {
    const { worker, version } = await publish(call.account, nameOf(call), await upload(call));
    // The id of the version, not of the deployment, and without hyphens: wrangler takes it for the version.
    return { ...scriptShape(worker), deployment_id: version.id.replaceAll("-", ""), startup_time_ms: 1 };
  }),
  route(`POST ${SCRIPT}/versions`, async (call) => {
    const { version } = await addUploaded(call.account, nameOf(call), await upload(call));
    return { ...versionShape(version), startup_time_ms: 1 };
  }),
  route(`GET ${SCRIPT}/versions`, (call) => ({ items: script(call).versions.toReversed().map(versionShape) })),
  route(`GET ${SCRIPT}/versions/:version`, (call) => {
    const id = call.params["version"] ?? "";
    const version = versionOf(script(call), id);
    if (version === undefined) throw noSuchVersion(id);
    return versionShape(version);
  }),
  route(`GET ${SCRIPT}/deployments`, (call) => ({ deployments: script(call).deployments.map(deploymentShape) })),
  route(`POST ${SCRIPT}/deployments`, (call) => {
    const { versions, annotations } = json(Deploy, call);
    return deploymentShape(deploy(script(call), versions, present(annotations)));
  }),
  route(`GET ${SCRIPT}/settings`, (call) => settingsShape(script(call))),
  route(`GET ${SCRIPT}/script-settings`, (call) => settingsShape(script(call))),
  route(`PATCH ${SCRIPT}/script-settings`, changeSettings),
  route(`GET ${SCRIPT}/subdomain`, (call) => script(call).subdomain),
  route(`POST ${SCRIPT}/subdomain`, (call) => {
    const { subdomain } = script(call);
    const { enabled, previews_enabled: previews = enabled } = json(Subdomain, call);
    return Object.assign(subdomain, { enabled, previews_enabled: previews });
  }),
  route("GET /accounts/:account/workers/workers/:name", (call) =>
    workerShape(call.account, call.account.service(nameOf(call))),
  ),
];
