// Jobs over hosts: how long deployments take, what they send, for how long nothing answers, and what a question over hosts costs.
import { join } from "node:path";

import { missing, runInside } from "../support/network/namespaces.ts";

/** As root, the hosts have a network of their own, with a rate and a delay. */
export async function hosts(): Promise<void> {
  const measure = join(import.meta.dirname, "hosts", "measure.ts");
  const lacks = missing();
  if (lacks.length > 0) {
    console.log(`Over loopback, without rate or delay. A network of their own needs:\n${lacks.join("\n")}\n`);
    await import(measure);
    return;
  }
  const code = await runInside([measure]);
  if (code !== 0) throw new Error(`It ended with ${code}`);
}
