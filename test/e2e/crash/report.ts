// The findings of crash runs as tables for a terminal.
import { TaskState } from "@a2a-js/sdk";

import { nameOfState } from "#shared/a2a/message.ts";
import { table } from "../../bench/table.ts";
import { ASKED } from "./job.ts";
import { stepsOf } from "./proof.ts";
import type { Findings } from "./run.ts";
import { BOUNDARY_NAMES, describe } from "./schedule.ts";

/** Characters of what a call was told. */
const MAX_SHOWN = 160;

export function report(all: readonly Findings[]): string {
  const columns = all.map(figures);
  const [first] = columns;
  if (!first) return "";
  const rows = first.map(([name], row) => [name, ...columns.map((column) => column[row]?.[1] ?? "")]);
  const figured = table(["isolation", ...all.map(({ isolation }) => isolation)], rows);
  return [schedules(all), figured, killedAfter(all), troubles(all)].join("\n\n");
}

function figures({
  kills,
  queries,
  logs,
  runs,
  resumeMs,
  cutCalls,
  cutTokens,
  traces,
  faults,
}: Findings): [string, string][] {
  const { tasks } = logs;
  const ended = counts(queries.map(({ end }) => nameOfState(end?.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED)));
  const keys = counts(runs.map(({ key }) => key));
  const approvals = tasks.flatMap((task) => stepsOf(task, "approval"));
  const answers = tasks
    .filter(({ agent }) => agent === "fact_checker")
    .flatMap((task) => stepsOf(task, "approval_answer"));
  const sorted = resumeMs.toSorted((a, b) => a - b);
  const percentile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return [
    ["kills", String(kills)],
    ["queries", String(queries.length)],
    ["ended", [...ended].map(([how, count]) => `${count} ${how}`).join(", ")],
    ["connections broken", String(sum(queries.map(({ breaks }) => breaks)))],
    ["tasks of all agents", String(tasks.length)],
    ["steps", String(sum(tasks.map(({ steps }) => steps.length)))],
    ["lives after the first", String(sum(tasks.map(({ lives }) => lives - 1)))],
    ["tool runs: keys", String(keys.size)],
    ["… repeated under their key", String([...keys.values()].filter((count) => count > 1).length)],
    [`approvals of ${ASKED}`, String(approvals.length)],
    ["… allowed, denied", `${count(answers, "allow")}, ${count(answers, "deny")}`],
    [
      "… forged, taken",
      `${sum(queries.map(({ forged }) => forged))}, ${sum(queries.map(({ forgedTaken }) => forgedTaken))}`,
    ],
    ["resume p50, max ms", `${percentile(0.5)}, ${percentile(1)}`],
    ["model calls cut (tokens)", `${cutCalls} (${cutTokens})`],
    ["budget exact", faults.some((fault) => fault.startsWith("account")) ? "NO" : "yes"],
    ["traces", String(traces.traces)],
    ["faults", String(faults.length)],
  ];
}

function killedAfter(all: readonly Findings[]): string {
  const rows = BOUNDARY_NAMES.map((name) => [
    name,
    ...all.map(({ killedAfter: counted }) => String(counted.get(name) ?? 0)),
  ]);
  return table(["killed right after", ...all.map(({ isolation }) => isolation)], rows);
}

/** The kills in their order. */
function schedules(all: readonly Findings[]): string {
  return all
    .map(({ isolation, seed, plan }) => {
      const kills = plan.map((kill, index) => `${index + 1} ${describe(kill)}`).join("; ");
      return `schedule of seed ${seed}, isolation ${isolation}: ${kills}`;
    })
    .join("\n");
}

/** What calls and tasks were told that failed, so that nothing hides behind "failed". */
function troubles(all: readonly Findings[]): string {
  const told = counts(
    all.flatMap(({ logs, isolation }) =>
      logs.tasks.flatMap((task) => [
        ...(task.problem === null ? [] : [`${isolation}: task of ${task.agent}: ${task.problem}`]),
        ...stepsOf(task, "tool_result").flatMap(({ isError, denied, content }) =>
          isError && !denied ? [`${isolation}: call of ${task.agent}: ${content.slice(0, MAX_SHOWN)}`] : [],
        ),
      ]),
    ),
  );
  const rows = [...told].map(([what, count]) => [String(count), what]);
  return table(["times", "told of failures"], rows);
}

function counts(values: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

function count(answers: readonly { readonly decision: string }[], decision: string): number {
  return answers.filter((answer) => answer.decision === decision).length;
}
