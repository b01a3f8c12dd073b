// troupe approvals: lists what waits for a person's yes or no.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { printJson } from "../../terminal/io.ts";

export default defineCommand({
  name: "approvals",
  summary: "List the approvals that wait for your answer",
  usage: "[job]",
  positionals: [0, 1],
  options: { json: JSON_OPTION },
  examples: ["troupe approvals", "troupe approvals approvals --json"],

  async run({ positionals: [named], options, io }) {
    const { statusOf } = await import("../../jobs/deployed-job.ts");
    const { deployedJobs } = await import("../../targets/local/state/state.ts");
    const { troupeHome } = await import("../../project/project.ts");
    const { waitingTasks } = await import("../../query/waiting.ts");
    const { showApproval } = await import("../../query/view/show-approval.ts");
    const { howToAnswer } = await import("../../query/reply-command.ts");
    const { cutTo, oneLine } = await import("../../terminal/terminal-text.ts");
    const jobs = named === undefined ? await deployedJobs(troupeHome()) : [named];
    const found = await Promise.all(jobs.map(async (job) => waitingTasks(await statusOf(job), io.signal)));
    const tasks = found.flat();
    if (options.json === true) {
      const waiting = tasks.map(({ job, name, taskId, question, approvals }) => {
        return { job, agent: name, taskId, question, approvals };
      });
      return printJson(io, { waiting });
    }
    if (tasks.length === 0) return io.print("No approval waits.");
    const shown = tasks.map((task) => {
      const head = `${task.job}: “${cutTo(oneLine(task.question), 60)}”`;
      const each = task.approvals.map((approval) => showApproval(approval, Date.now()));
      return [head, ...each, howToAnswer(task, task.taskId, task.approvals)].join("\n");
    });
    io.print(shown.join("\n\n"));
  },
});
