// The command line as a caller of the agents that it deployed, wherever they run.
import { forwardingFetch } from "./hosts/forwarding-fetch.ts";
import { hostsJob } from "./hosts/job-machines.ts";
import { signedFetch } from "./local/state/command-line.ts";

/** `fetch` that reaches the agent at `url` and signs each request to it. */
export async function commandLineFetch(home: string, job: string, url: string): Promise<typeof fetch> {
  const far = await hostsJob(home, job);
  return far === undefined ? signedFetch(home, job, url) : signedFetch(home, job, url, forwardingFetch(far.plan));
}
