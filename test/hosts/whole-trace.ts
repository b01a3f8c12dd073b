// The trace of a query of a job on hosts, as the command line exports it.
import { eventually } from "../support/deployment.ts";
import type { SshHosts } from "../support/ssh-hosts.ts";
import { problemsOf } from "../support/trace-rules.ts";
import { spansIn, type TracedSpan } from "../support/trace-store.ts";

const LIMIT_MS = 60_000;

/** Resolves to its spans as soon as the trace is whole. Throws with what is wrong where it does not become so. */
export async function wholeTrace(
  { deployment }: SshHosts,
  job: string,
  traceId: string,
  limitMs = LIMIT_MS,
): Promise<TracedSpan[]> {
  let problems: string[] = [];
  const look = async () => {
    const { code, stdout, stderr } = await deployment.troupe("traces", "export", traceId, "--job", job);
    const spans = code === 0 ? spansIn(stdout) : [];
    problems = code === 0 ? problemsOf(spans) : [stderr];
    return problems.length === 0 ? spans : undefined;
  };
  return eventually(look, limitMs, `the trace ${traceId} is whole`).catch((error: unknown) => {
    throw new Error(problems.join("\n"), { cause: error });
  });
}
