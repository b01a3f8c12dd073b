// troupe keys list: lists the keys of a job, never their texts.
import { isExpired, type Key } from "#shared/control-plane/keys.ts";

import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson, table } from "../../terminal/io.ts";
import { requireDeployed } from "../../jobs/deployed-job.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

export default defineCommand({
  name: "keys list",
  summary: "List the keys of a job",
  usage: "<job>",
  positionals: [1, 1],
  options: { json: JSON_OPTION },

  async run({ positionals: [named = ""], options, io }) {
    const job = await requireDeployed(named);
    const keys = await (await deployedTarget()).withKeys(job, io, async (store) => store.list());
    if (options.json === true) return printJson(io, { keys });
    if (keys.length === 0) return io.note(`${job} has no keys. Make one: ${troupe`keys create ${job}`} <name>`);
    const rows = keys.map((key) => [key.name, key.account, key.scopes.join(","), key.createdAt, stateOf(key)]);
    io.print(table([["NAME", "ACCOUNT", "SCOPES", "CREATED", "STATE"], ...rows]));
  },
});

function stateOf(key: Key): string {
  if (key.revokedAt !== null) return `revoked ${key.revokedAt}`;
  if (key.expiresAt === null) return "counts";
  return isExpired(key, Date.now()) ? `expired ${key.expiresAt}` : `counts until ${key.expiresAt}`;
}
