// troupe keys revoke: makes a key void, everywhere within five seconds.
import { defineCommand } from "../../terminal/command.ts";
import { requireDeployed } from "../../jobs/deployed-job.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

export default defineCommand({
  name: "keys revoke",
  summary: "Make a key void, within five seconds everywhere",
  usage: "<job> <name>",
  positionals: [2, 2],
  options: {},

  async run({ positionals: [named = "", name = ""], io }) {
    const job = await requireDeployed(named);
    await (await deployedTarget()).withKeys(job, io, async (keys) => keys.revoke(name));
    io.note(`The key ${name} of ${job} does not count any more.`);
  },
});
