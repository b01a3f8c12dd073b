// All that the agents have of a session, as one JSON document. It is written as it is read: a session may be long.
import type { Session } from "./gather.ts";
import type { Unreached } from "./operator.ts";

/** Configs of push notifications are left out: they hold the secrets of their receivers. */
export async function exportJson(
  { id, job, agents }: Session,
  unreached: readonly Unreached[],
  write: (text: string) => void,
): Promise<void> {
  const about = {
    session: id,
    job,
    exportedAt: new Date().toISOString(),
    unreached: unreached.map(({ agent }) => agent),
  };
  write(`${JSON.stringify(about).slice(0, -1)},"agents":[`);
  for (const [index, { agent }] of agents.entries()) {
    write(`${index === 0 ? "" : ","}\n{"id":${JSON.stringify(agent.agent)},"turns":[`);
    let before = "\n";
    for await (const turn of agent.turns(id, { steps: true })) {
      write(before + JSON.stringify(turn));
      before = ",\n";
    }
    write("]}");
  }
  write("]}\n");
}
