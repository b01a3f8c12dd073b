// troupe start: deploys the example job, asks it one question, and shows what to type next.
import { defineCommand } from "../../terminal/command.ts";
import { troupe } from "../../terminal/hint.ts";
import { table } from "../../terminal/io.ts";
import { PLACEMENT_OPTIONS } from "../../jobs/placement-options.ts";
import { describeStatus } from "../../jobs/show-status.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

const JOB = "research-assistant";
const QUESTION = "How does a Durable Object keep its state, and what happens when its isolate is evicted?";
const FOLLOW_UP = "And how large may its database be?";
const QUESTION_ABOUT_DOCUMENTS = "What are these documents about?";
const TIMEOUT_MS = 5 * 60_000;

export default defineCommand({
  name: "start",
  summary: `Deploy ${JOB} and ask it one question`,
  usage: "[question]",
  positionals: [0, 1],
  options: {
    corpus: { type: "string", value: "DIR", description: "Your documents instead of those that come with the project" },
    ...PLACEMENT_OPTIONS,
  },
  examples: ["troupe start", 'troupe start --corpus ~/notes "What did I decide about backups?"'],

  async run({ positionals: [typed], options, io }) {
    const { loadJobFile } = await import("../../jobs/job-files.ts");
    const { readPlacement } = await import("../../jobs/read-placement.ts");
    const { askAndPrint } = await import("../../query/print.ts");
    const { withAddresses } = await import("../../jobs/with-addresses.ts");
    const { placeAgents } = await import("#jobs/placement/place-agents.ts");
    const choice = await readPlacement(options);
    const { job, source, path } = await loadJobFile(JOB, choice);
    const placement = await withAddresses(job, choice);
    for (const note of placeAgents(job, placement).notes) io.note(note);
    io.note(`Deploying ${JOB} …`);
    const { deployJob } = await import("../../targets/deploy-job.ts");
    const { refuseToLeave } = await import("../../sessions/sessions-left.ts");
    await refuseToLeave(job, placement, io);
    const request = { job, source, file: path, corpus: options.corpus, placement, mayLoseData: false };
    const { status, healthyMs } = await deployJob(request, io);
    io.note(`${status.agents.length} agents are healthy after ${(healthyMs / 1000).toFixed(2)} s.`);

    const text = typed ?? (options.corpus === undefined ? QUESTION : QUESTION_ABOUT_DOCUMENTS);
    const entry = status.agents.find(({ id }) => id === status.entryPoint);
    io.print(`\n> ${text}\n`);
    const url = entry?.url ?? "";
    const question = { job: job.name, url, name: status.entryPoint, text, session: undefined, timeoutMs: TIMEOUT_MS };
    const answer = await askAndPrint(question, io);

    const follow = typed === undefined && options.corpus === undefined ? FOLLOW_UP : "…";
    io.print(`\n${describeStatus((await (await deployedTarget()).status(job.name)) ?? status)}\n\nNext:`);
    io.print(`  ${troupe`query ${JOB} "`}${follow}" --session ${answer.contextId}`);
    io.print(
      table([
        [`  ${troupe`chat ${JOB}`}`, "(talk to it)"],
        [`  ${troupe`traces show`}`, "(what each agent did for the answer)"],
        [`  ${troupe`start --corpus DIR "…"`}`, "(ask about your own documents)"],
        [`  ${troupe`status ${JOB}`}`],
        [`  ${troupe`stop ${JOB}`}`],
        [`  ${troupe`--help`}`],
      ]),
    );
  },
});
