// Checks agents of others: they have none of the fields of own agents, and cannot ask.
import { suggest } from "#shared/text/nearest.ts";
import type { Mistake } from "../file/mistake.ts";
import type { Job } from "../schema/schema.ts";
import { ownAgents, remoteAgents } from "../schema/remote.ts";
import { referencesIn } from "../schema/variables.ts";
import type { Path, Source } from "../file/source.ts";
import { agentReferences } from "./references.ts";

const FIELDS_OF_REMOTES: ReadonlySet<string> = new Set(["id", "remote", "auth"]);
const CANNOT_ASK = "is remote: it can be asked, and cannot ask others";

/** `variables`: names of those that are set. */
export function checkRemotes(job: Job, source: Source, variables: ReadonlySet<string>): Mistake[] {
  return [...checkFields(job, source, variables), ...checkPlaces(job, source)];
}

function checkFields({ agents }: Job, source: Source, variables: ReadonlySet<string>): Mistake[] {
  return agents.flatMap(({ id, remote, auth }, index) => {
    if (remote === undefined) {
      if (auth === undefined) return [];
      const message = `"auth" is not for the agent "${id}", which runs here`;
      return [source.mistake(["agents", index, "auth"], message, "It goes with remote alone.", "key")];
    }
    const others = fieldsOf(source.data, index).filter((key) => !FIELDS_OF_REMOTES.has(key) && !key.startsWith("x-"));
    return [
      ...others.map((key) => {
        const message = `"${key}" is not for the agent "${id}", which is remote and runs elsewhere`;
        return source.mistake(["agents", index, key], message, "A remote agent has id, remote and auth alone.", "key");
      }),
      ...referencesIn(auth ?? "")
        .names.filter((name) => !variables.has(name))
        .map((name) => {
          const near = suggest(name, variables);
          const hint = near.startsWith("Did") ? near : `Set it before you deploy: export ${name}=…`;
          return source.mistake(["agents", index, "auth"], `the variable ${name} is not set`, hint);
        }),
    ];
  });
}

function fieldsOf(data: unknown, index: number): string[] {
  const agents: unknown = typeof data === "object" && data !== null && "agents" in data ? data.agents : undefined;
  const agent: unknown = Array.isArray(agents) ? agents[index] : undefined;
  return typeof agent === "object" && agent !== null ? Object.keys(agent) : [];
}

function checkPlaces(job: Job, source: Source): Mistake[] {
  const remotes = new Set(remoteAgents(job.agents).map(({ id }) => id));
  if (ownAgents(job.agents).length === 0)
    return [source.mistake(["agents"], "all agents are remote, so none can take the questions", "Add an own agent.")];
  const asking = [...agentsThatAsk(job, remotes).values()];
  const entry = job.execution.entry_point;
  if (entry !== undefined && remotes.has(entry)) asking.push({ id: entry, path: ["execution", "entry_point"] });
  const inPolicy = job.approvals.policy.flatMap(({ agent = "" }, index) => {
    if (!remotes.has(agent)) return [];
    const path: Path = ["approvals", "policy", index, "agent"];
    return [
      source.mistake(path, `the agent "${agent}" is remote, so no rule of this job applies to it`, "Remove the rule."),
    ];
  });
  const wrong = asking.map(({ id, path, at }) =>
    source.mistake(path, `the agent "${id}" ${CANNOT_ASK}`, "Give this place to an agent of the job.", at),
  );
  return [...wrong, ...inPolicy];
}

interface Asking {
  readonly id: string;
  readonly path: Path;
  readonly at?: "key";
}

/** The first place of each of `ids` that the topology lets ask. In a mesh all members ask each other, and a remote one is just asked. */
function agentsThatAsk({ topology }: Job, ids: ReadonlySet<string>): Map<string, Asking> {
  const found = new Map<string, Asking>();
  for (const reference of agentReferences(topology)) {
    const { id, path } = reference;
    if (ids.has(id) && !found.has(id) && asks(path)) found.set(id, reference);
  }
  return found;

  function asks(path: Path): boolean {
    switch (topology.type) {
      case "hub-spoke":
        return path[1] === "hub";
      case "pipeline":
        return Number(path[2]) < topology.stages.length - 1;
      case "dag":
        return path[3] === "from";
      case "hierarchical": {
        if (path[1] === "root") return true;
        // A level is a list that all of the level above ask, or names who asks whom.
        const [level, parent] = [Number(path[2]), path[3]];
        return (typeof parent === "string" && path.length === 4) || Array.isArray(topology.levels[level + 1]);
      }
      case "mesh":
      case "dynamic":
        return false;
    }
  }
}
