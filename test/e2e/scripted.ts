// A deployed job of test/e2e/jobs whose agents take a scripted server for Claude.
import { fileURLToPath } from "node:url";

import { Deployment } from "../support/deployment.ts";
import { MessagesApi, type ModelCall } from "../support/messages-api.ts";
import { Status } from "./shapes.ts";

export interface Scripted extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly api: MessagesApi;
  /** Agent → its origin. */
  readonly urls: ReadonlyMap<string, string>;
}

/** `text`: of the job file, where it is none of test/e2e/jobs. */
export async function deployScripted(job: string, text?: string): Promise<Scripted> {
  const api = await MessagesApi.start();
  const deployment = await Deployment.create(api.environment);
  const kept = fileURLToPath(new URL(`jobs/${job}.yaml`, import.meta.url));
  await deployment.succeed("deploy", text === undefined ? kept : await deployment.write(`${job}.yaml`, text));
  const { agents } = Status.parse(await deployment.json("status", job));
  return {
    deployment,
    api,
    urls: new Map(agents.map(({ id, url }) => [id, url])),
    async [Symbol.asyncDispose]() {
      await deployment.close();
      await api.close();
    },
  };
}

/** Every address in what models were sent: URLs of this machine, and ports of agents. Empty, if agents keep their promise. */
export function addressesSeen(calls: readonly ModelCall[], urls: ReadonlyMap<string, string>): string[] {
  const ports = [...urls.values()].map((url) => new URL(url).port);
  const address = new RegExp(String.raw`https?://(?:127\.0\.0\.1|localhost|\[::1\])|\b(?:${ports.join("|")})\b`, "g");
  return calls.flatMap(({ body }) => body.match(address) ?? []);
}
