// troupe keys create: makes a key, and shows it once.
import { KeyName, SCOPES, type Scope } from "#shared/control-plane/keys.ts";
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { timeOf } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { requireDeployed } from "../../jobs/deployed-job.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

const DEFAULT_SCOPES = "ask,approve,read";
const LOCAL = "local";

export default defineCommand({
  name: "keys create",
  summary: "Make a key of a job, which is shown once",
  usage: "<job> <name>",
  positionals: [2, 2],
  options: {
    scopes: {
      type: "string",
      value: "LIST",
      description: `What it may do, of ${SCOPES.join(", ")} (default ${DEFAULT_SCOPES})`,
    },
    expires: { type: "string", value: "TIME", description: "How long it counts, such as 30d (default: until revoked)" },
    as: { type: "string", value: "ACCOUNT", description: `${LOCAL}: the conversations of this machine. Else its own` },
    json: JSON_OPTION,
  },
  examples: [
    "troupe keys create research-assistant laptop --expires 30d",
    "troupe keys create research-assistant ci --scopes ask",
  ],

  async run({ positionals: [named = "", name = ""], options, io }) {
    const fault = KeyName.safeParse(name).error?.issues[0]?.message;
    if (fault !== undefined) throw new CliError("bad_input", `The name "${name}" ${fault}.`);
    const scopes = scopesIn(options.scopes ?? DEFAULT_SCOPES);
    if (options.as !== undefined && options.as !== LOCAL) {
      throw new CliError(
        "bad_input",
        `--as takes ${LOCAL} only, not "${options.as}".`,
        "Without it, the key has an account of its own.",
      );
    }
    const { expires } = options;
    const expiresAt =
      expires === undefined
        ? undefined
        : new Date(Date.now() + timeOf(expires, "--expires", { least: 1 })).toISOString();
    const job = await requireDeployed(named);
    const target = await deployedTarget();
    const made = await target.withKeys(job, io, async (keys) =>
      keys.create({
        name,
        scopes,
        ...(options.as === undefined ? {} : { as: LOCAL }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      }),
    );
    if (options.json === true) return printJson(io, made);
    io.print(made.key);
    io.note(
      `It is not shown again. Clients send it as "Authorization: Bearer <key>". Revoke it: ${troupe`keys revoke ${job} ${name}`}`,
    );
  },
});

function scopesIn(text: string): Scope[] {
  return text.split(",").map((part) => {
    const scope = SCOPES.find((known) => known === part.trim());
    if (scope === undefined)
      throw new CliError(
        "bad_input",
        `--scopes does not know "${part}". ${suggest(part, SCOPES)}`,
        `It takes ${SCOPES.join(", ")}, with commas between.`,
      );
    return scope;
  });
}
