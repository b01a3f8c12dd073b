// Checks permissions and approvals for contradictions and unknown agents. check-tools.ts checks the names of tools,
// which are in the agents' code.
import { ruleFits } from "#shared/loop/tools/permissions.ts";
import { checkedDurationMs } from "#shared/text/duration.ts";
import { suggest } from "#shared/text/nearest.ts";
import type { Mistake } from "../file/mistake.ts";
import type { Job } from "../schema/schema.ts";
import type { Path, Source } from "../file/source.ts";

const MAX_EXPIRES_MS = 30 * 86_400_000;

export function checkPermissions(job: Job, source: Source): Mistake[] {
  return [
    ...job.agents.flatMap((_, index) => checkContradictions(job, index, source)),
    ...checkPolicyAgents(job, source),
    ...checkUnreachable(job, source),
    ...checkExpiry(job, source),
  ];
}

/** The account and the trace of a query are not kept longer. */
function checkExpiry({ approvals }: Job, source: Source): Mistake[] {
  if (checkedDurationMs(approvals.expires) <= MAX_EXPIRES_MS) return [];
  return [source.mistake(["approvals", "expires"], "an approval may wait 30d at most", "Write 30d or less.")];
}

/**
 * A rule under deny must not cover a whole rule under allow or ask. A narrower rule under deny is an exception, and
 * allowed.
 */
function checkContradictions({ agents }: Job, index: number, source: Source): Mistake[] {
  const permissions = agents[index]?.permissions;
  if (permissions === undefined) return [];
  return (["allow", "ask"] as const).flatMap((list) =>
    (permissions[list] ?? []).flatMap((rule, place) => {
      const denied = permissions.deny.find((deny) => ruleFits(deny, rule));
      if (denied === undefined) return [];
      const path: Path = ["agents", index, "permissions", list, place];
      const message = `"${rule}" is under ${list}, but "${denied}" under deny takes it away`;
      return [source.mistake(path, message, "Remove it from one of them.")];
    }),
  );
}

function checkPolicyAgents({ agents, approvals }: Job, source: Source): Mistake[] {
  const ids = [...new Set(agents.map(({ id }) => id))];
  return approvals.policy.flatMap(({ agent }, index) => {
    if (agent === undefined || ids.includes(agent)) return [];
    const path: Path = ["approvals", "policy", index, "agent"];
    return [source.mistake(path, `there is no agent "${agent}"`, suggest(agent, ids))];
  });
}

/** A rule of the policy must not stand behind one that answers everything it could answer. */
function checkUnreachable({ approvals }: Job, source: Source): Mistake[] {
  return approvals.policy.flatMap((rule, index) => {
    const before = approvals.policy
      .slice(0, index)
      .findIndex(
        (earlier) =>
          Object.keys(earlier.input ?? {}).length === 0 &&
          (earlier.agent === undefined || earlier.agent === rule.agent) &&
          earlier.decision !== rule.decision &&
          ruleFits(earlier.tool, rule.tool),
      );
    if (before === -1) return [];
    const message = `this rule never applies: rule ${before + 1} of the policy answers for "${rule.tool}" already`;
    return [
      source.mistake(
        ["approvals", "policy", index],
        message,
        "Put it before that rule: the first rule that fits applies.",
      ),
    ];
  });
}
