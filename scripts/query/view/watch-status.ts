// Follows a job's status: drawn in place on a terminal until q or Ctrl-C, elsewhere printed again and again until the command is ended.
import { setTimeout as delay } from "node:timers/promises";

import { statusOf } from "../../jobs/deployed-job.ts";
import { describeStatus } from "../../jobs/show-status.ts";
import type { Io } from "../../terminal/io.ts";
import { cutTo } from "../../terminal/terminal-text.ts";
import { onQuitKey } from "../../terminal/typing/quit-key.ts";
import { waitingTasks } from "../waiting.ts";
import { questionRows, runningQuestions } from "./running-questions.ts";
import { waitingLine } from "./waiting-line.ts";

const LOOK_MS = 1_000;
/** Between two outputs that are not drawn over each other. */
const PRINT_MS = 5_000;

export async function watchStatus(job: string, io: Io): Promise<void> {
  const quit = new AbortController();
  const signal = AbortSignal.any([io.signal, quit.signal]);
  const live = process.stdout.isTTY ? io.live : undefined;
  using keys = live === undefined || !process.stdin.isTTY ? undefined : onQuitKey(process.stdin, () => quit.abort());
  let lines: string[] = [];
  while (!signal.aborted) {
    lines = await look(job, { ...io, signal, live }).catch((error: unknown) => {
      if (signal.aborted) return lines;
      throw error;
    });
    if (live === undefined) io.print(`${new Date().toISOString()}\n${lines.join("\n")}\n`);
    else
      live.set("activity", [
        ...lines.slice(0, Math.max(1, live.rows - 3)).map((line) => cutTo(line, live.columns - 1)),
        ...(keys === undefined ? [] : ["", "q ends."]),
      ]);
    await delay(live === undefined ? PRINT_MS : LOOK_MS, undefined, { signal }).catch(() => {});
  }
  // The last state stays on the screen.
  live?.clear();
  if (live !== undefined) io.print(lines.join("\n"));
}

async function look(job: string, io: Io): Promise<string[]> {
  const status = await statusOf(job);
  const [waiting, questions] = await Promise.all([waitingTasks(status, io.signal), runningQuestions(status, io)]);
  return [
    ...describeStatus(status, io.live === undefined ? Infinity : io.live.columns - 1).split("\n"),
    "",
    ...questionRows(questions, Date.now()),
    ...waitingLine(status.job, waiting),
  ];
}
