// Paths of what `troupe dev` keeps of a job in the folder of deployment state. No deployment of the job uses them.
import { join } from "node:path";

export function devLayout(home: string, job: string) {
  const folder = join(home, "dev", job);
  return {
    /** Takes the bundles of saved sources, in `build`. */
    folder,
    /** Held while the job runs. */
    lock: join(folder, "lock"),
    /** Keys and values of secrets, mode 0600. */
    secrets: join(folder, "secrets.json"),
    /** The job's token at the control plane, mode 0600. Only there while the job runs. */
    token: join(folder, "token"),
    /** How traces are kept and forwarded, mode 0600. */
    settings: join(folder, "trace-settings.json"),
    /** Durable Objects' storage. */
    data: join(folder, "data"),
  };
}

export type DevLayout = ReturnType<typeof devLayout>;
