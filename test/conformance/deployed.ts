// Deploys jobs/tck.yaml for the suite, unless CONFORMANCE_URL names another agent.
import { join } from "node:path";
import * as z from "zod";
import { Deployment } from "../support/deployment.ts";

const Status = z.object({ agents: z.array(z.object({ url: z.string() })) });
const JOB = join(import.meta.dirname, "../../jobs/tck.yaml");

export default async function setup(): Promise<() => Promise<void>> {
  if (process.env["CONFORMANCE_URL"] !== undefined) return async () => {};
  const deployment = await Deployment.create();
  await deployment.succeed("deploy", JOB);
  const { agents } = Status.parse(await deployment.json("status", "tck"));
  process.env["CONFORMANCE_URL"] = agents[0]?.url ?? "";
  return async () => deployment.close({ mayBeOpen: true });
}
