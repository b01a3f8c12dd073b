// Conversations as a person has them: `troupe chat` in a real pseudo-terminal, and what stands on its screen.
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Deployment, signalProcess } from "../support/deployment.ts";
import type { TerminalOptions, TerminalSession } from "../support/terminal-session.ts";
import { ApprovalJob } from "./approval-job.ts";
import { Status } from "./shapes.ts";
import { QUESTION, SENTENCE, slowJob } from "./slow-answer.ts";

/** After an answer: its summary, and an empty prompt. */
/** The end of an answer. A narrow screen has no room for a long command. */
const TRACE = /\btraces? (?:show )?\w{8}\b/g;
const ANSWERED = new RegExp(`${TRACE.source}\\s+>\\s*$`);
const PROMPT = /(?:^|\n)> *$/;
const [CTRL_C, CTRL_D] = ["\u0003", "\u0004"];

/** Marks of an answer: Markdown with a source. */
const MARMOTS = `Question: How long do marmots hibernate?\n\n[1] Marmots\nsource: marmots.md\n${SENTENCE}`;

const job = (name: string, offline: string) => `name: ${name}
agents: [{ id: summarizer }, { id: searcher }]
topology: { type: mesh }
execution: { entry_point: summarizer }
model: { provider: offline, offline: ${offline} }
`;

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", await deployment.write("talk.yaml", job("talk", "{}")));
});
// Questions are left running.
afterAll(async () => deployment.close({ unchecked: true }));

/** A conversation whose prompt stands there. */
async function begun(args: readonly string[], options: Partial<TerminalOptions> = {}): Promise<TerminalSession> {
  const terminal = deployment.terminal(["chat", ...args], options);
  await terminal.shows(PROMPT);
  return terminal;
}

/** Asks as somebody who pastes: marked, so that its lines are one message. */
async function ask(terminal: TerminalSession, text: string, times = 1): Promise<string> {
  terminal.type(`\u001b[200~${text}\u001b[201~\r`);
  return terminal.until((screen) => [...screen.matchAll(TRACE)].length >= times && ANSWERED.test(screen), text);
}

describe("a conversation", () => {
  test("of three turns is left with Ctrl-D, and goes on where it was the next time", async () => {
    let session = "";
    {
      await using terminal = await begun(["talk"]);
      await ask(terminal, MARMOTS);
      const screen = await ask(terminal, "Thank you", 2);
      expect(screen).toMatch(/\n\d agents? · \d+ model calls? · [^]*tokens · \$0 · /);
      terminal.type(CTRL_D);
      expect(await terminal.exit).toBe(0);
      const left = await terminal.screen.text();
      session = /Session ([\w-]{36})\n/.exec(left)?.[1] ?? "";
      expect(left.replaceAll("\n", "")).toContain(`chat talk --session ${session}`);
    }
    await using again = await begun(["talk"]);
    const screen = await again.screen.text();
    expect(screen).toMatch(/The session of .* goes on; \/clear begins a new one\.\n\n> Thank you\n/);
    await ask(again, "And once more");
    again.type("/session\r");
    await again.shows(`Session ${session}, 3 answers.`);
    again.type("/quit\r");
    expect(await again.exit).toBe(0);
  });

  test("begins anew with --new and /clear, and with a session that the agent does not know it does not begin", async () => {
    await using terminal = await begun(["talk", "--new"]);
    expect(await terminal.screen.text()).not.toContain("goes on");
    await ask(terminal, "hello");
    terminal.type("/session\r");
    const first = /Session ([\w-]{36}), 1 answer/.exec(await terminal.shows(", 1 answer."))?.[1] ?? "none";
    terminal.type("/clear\r");
    await terminal.shows("A new session begins.");
    await ask(terminal, "hello", 2);
    terminal.type("/session\r");
    await terminal.until((screen) => screen.split(", 1 answer.").length === 3, "the second session");
    expect((await terminal.screen.text()).split(`Session ${first}`)).toHaveLength(2);
    await using other = deployment.terminal(["chat", "talk", "--session", "nobody-knows-it"]);
    expect(await other.exit).toBe(2);
    const refused = await other.screen.text();
    expect(refused).toContain('summarizer knows no session "nobody-knows-it".');
    expect(refused).not.toContain("Come back");
  });

  test("has its commands, and names the nearest one for a wrong one", async () => {
    await using terminal = await begun(["talk", "--new"]);
    const says = async (command: string, words: string | RegExp) => {
      terminal.type(`${command}\r`);
      await terminal.shows(words);
      await terminal.shows(PROMPT);
    };
    await says("/retry", "Nothing has been asked yet.");
    await says("/trace", "Nothing has been answered yet.");
    await ask(terminal, MARMOTS);
    await says("/help", /\/retry +Ask the last question again/);
    await says("/agents", "talk is running");
    await says("/model", /searcher +offline/);
    await says("/budget", /summarizer for one message +20 model calls/);
    await says("/cost", /all of this run +\d/);
    await says("/trace", "Critical path");
    await says("/sesion", "There is no /sesion here. Did you mean /session?");
    await says("/copy", "Copied, if your terminal allows it.");
    const [, copied = ""] = /\u001b\]52;c;([\w+/=]+)\u0007/.exec(terminal.screen.raw) ?? [];
    expect(Buffer.from(copied, "base64").toString()).toContain(SENTENCE);
    await says("/save notes.md", "Saved as notes.md.");
    expect(await readFile(join(deployment.home, "notes.md"), "utf8")).toContain(`## summarizer\n\n- ${SENTENCE} [1]\n`);
    await says("/save notes.md", "notes.md exists already.");
    await says("/agent searcer", 'talk has no agent "searcer". Did you mean "searcher"?');
    await says("/agent searcher", "You are talking to searcher now.");
  });

  test("keeps its history over all runs, for its owner alone", async () => {
    {
      await using terminal = await begun(["talk", "--new"]);
      await ask(terminal, "Remember the marmots");
      terminal.type(CTRL_D);
      await terminal.exit;
    }
    const file = join(deployment.home, ".troupe", "chat", "history");
    expect((await stat(file)).mode & 0o077).toBe(0);
    await using again = await begun(["talk", "--new"]);
    again.type("\u0012marmots");
    await again.shows("(search: marmots) Remember the marmots");
    again.type(`\u0007/ag\t`);
    await again.shows("/agents  /agent");
  });

  test("sends a file along with the first message", async () => {
    await writeFile(join(deployment.home, "marmots.md"), `# Marmots\n\n${SENTENCE}\n`);
    const { code, stdout } = await deployment.troupe(
      "query",
      "talk",
      "What do you know of marmots?",
      "--file",
      "marmots.md",
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining("Marmots")]);
    const missing = await deployment.troupe("query", "talk", "hello", "--file", "nothing.md");
    expect([missing.code, missing.stderr]).toEqual([2, "There is no file nothing.md.\n"]);
  });
});

test("any A2A agent is asked by its URL, without its job", async () => {
  const [agent] = Status.parse(await deployment.json("status", "talk")).agents;
  const { code, stdout, stderr } = await deployment.troupe("query", agent?.url ?? "", MARMOTS);
  expect([code, stdout]).toEqual([0, expect.stringContaining(SENTENCE)]);
  expect(stderr).toMatch(/^\nGo on: .* query http:\/\/127\.0\.0\.1:\d+\/ "…" --session [\w-]+\n$/);
});

describe("on every screen", () => {
  test.each([60, 80, 120])("of %i columns answer and summary fit", async (columns) => {
    await using terminal = await begun(["talk", "--new"], { columns });
    await ask(terminal, MARMOTS);
    expect(await terminal.screen.brokenLines()).toEqual([]);
  });

  test("without colours nothing is coloured", async () => {
    await using terminal = await begun(["talk", "--new"], { env: { NO_COLOR: "1" } });
    await ask(terminal, MARMOTS);
    expect(terminal.screen.raw).not.toMatch(/\u001b\[\d*(?:;\d+)*m/);
  });

  test("that is dumb no escape sequence is written, and everything can be done", async () => {
    await using terminal = await begun(["talk", "--new"], { env: { TERM: "dumb" } });
    terminal.type("Thnk\u007f\u007fank you\\\rvery much\r");
    await terminal.shows(ANSWERED);
    terminal.type("/session\r");
    await terminal.shows(", 1 answer.");
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(terminal.screen.raw).not.toContain("\u001b");
    expect(await terminal.screen.text()).toContain("> Thank you\nvery much\n");
  });

  test("no terminal at all: it says what to type instead", async () => {
    const { code, stderr } = await deployment.troupe("chat", "talk");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^A conversation needs a terminal: .*\n.* query talk "…"/),
    ]);
  });
});

describe("while agents work", () => {
  beforeAll(async () => {
    for (const name of ["slow", "watched"])
      await deployment.succeed("deploy", await deployment.write(`${name}.yaml`, job(name, "{ ttft: 60s }")));
    await deployment.succeed("deploy", await deployment.write("dying.yaml", slowJob("dying")));
  });

  test("a row says who does what, and what is typed meanwhile is sent afterwards; Ctrl-C cancels, a second one leaves", async () => {
    await using terminal = await begun(["slow", "--new"]);
    terminal.type("hello\r");
    await terminal.shows(/summarizer {2}thinks \(offline\) {2}\d\.\d s/);
    terminal.type("and then");
    await terminal.shows("> and then");
    terminal.type(CTRL_C);
    const screen = await terminal.shows("No tool had run that changes anything.");
    expect(screen).toContain("Canceling …\n\nThe task was canceled.\n");
    await terminal.shows(/> and then$/);
    expect(await terminal.screen.text()).not.toContain("thinks");
    terminal.type(CTRL_C);
    await terminal.shows(PROMPT);
    terminal.type(CTRL_C);
    await terminal.shows("Ctrl-C again leaves");
    terminal.type(CTRL_C);
    expect(await terminal.exit).toBe(0);
    expect(await terminal.screen.text()).toContain("Come back: ");
  });

  test("a narrower window leaves no old rows behind", async () => {
    await using terminal = await begun(["slow", "--new"], { columns: 100 });
    terminal.type("hello\r");
    await terminal.shows(/summarizer {2}(works|thinks)/);
    terminal.resize(50, 30);
    terminal.type(CTRL_C);
    // On a fast screen the message is not on its way yet.
    await terminal.shows(/The task was canceled|The message was not sent/);
    await terminal.shows(PROMPT);
    expect(await terminal.screen.text()).not.toMatch(/summarizer {2}(works|thinks)/);
  });

  test("its status can be watched, with the question that is being answered", async () => {
    await using terminal = await begun(["watched", "--new"]);
    terminal.type("a question to be seen\r");
    await terminal.shows("thinks");
    await using watch = deployment.terminal(["status", "watched", "--watch"]);
    await watch.shows(/Questions being answered:\n {2}for .*summarizer {2}“a question to be seen”/);
    terminal.type(CTRL_C);
    await watch.shows("No question is being answered.");
    watch.type("q");
    expect(await watch.exit).toBe(0);
    expect((await watch.screen.text()).split("watched is running")).toHaveLength(2);
  });

  test("kill -9 is said, and the answer goes on: it stands on the screen once", async () => {
    const { pid } = Status.parse(await deployment.json("status", "dying"));
    await using terminal = await begun(["dying", "--new"], { columns: 120 });
    terminal.type(`\u001b[200~${QUESTION}\u001b[201~\r`);
    await terminal.shows("• Marmots");
    signalProcess(pid, "SIGKILL");
    await terminal.shows("The connection broke; trying again …");
    const screen = await terminal.shows(ANSWERED);
    expect(screen).toContain("[1] marmots.md");
    // In the question and in the answer.
    expect(screen.replaceAll(/\n */g, " ").split(SENTENCE)).toHaveLength(3);
  });

  test("a message to a job that was killed a moment ago waits until it is back", async () => {
    await using terminal = await begun(["talk", "--new"]);
    await ask(terminal, "hello");
    signalProcess(Status.parse(await deployment.json("status", "talk")).pid, "SIGKILL");
    expect(await ask(terminal, "hello again", 2)).toMatch(/> hello again\n/);
  });

  test("who closes the terminal and comes back gets the outcome", async () => {
    {
      await using terminal = await begun(["dying", "--new"]);
      terminal.type(`\u001b[200~${QUESTION}\u001b[201~\r`);
      await terminal.shows("• Marmots");
      // The connection breaks without a word.
    }
    await using again = deployment.terminal(["chat", "dying"]);
    const screen = await again.shows(/\[1\] marmots\.md[^]*\n> *$/);
    expect(screen).toContain("The session of ");
  });
});

test("an agent of plain code asks back, in a conversation and at the command line, and the next words answer it", async () => {
  await deployment.succeed("deploy", "tck");
  {
    await using terminal = await begun(["tck", "--new"]);
    terminal.type("hello\r");
    await terminal.shows("What else? Say done to end.");
    terminal.type("done\r");
    await terminal.shows("It was told 1 times.");
  }
  const asked = await deployment.troupe("query", "tck", "hello");
  expect([asked.code, asked.stdout]).toEqual([3, "There is no such scenario. What else? Say done to end.\n"]);
  const [, id = ""] = /query tck --task (\S+) "…"/.exec(asked.stderr) ?? [];
  expect(await deployment.succeed("query", "tck", "--task", id, "done")).toBe("It was told 1 times.\n");
});

describe("with approvals", () => {
  let pays: ApprovalJob;
  beforeAll(async () => {
    pays = await ApprovalJob.deploy("pays");
  });
  afterAll(async () => pays[Symbol.asyncDispose]());

  test("a paste is no answer, only a clear typed yes is; what waits is listed and counted", async () => {
    await using terminal = pays.deployment.terminal(["chat", "pays", "--new"]);
    await terminal.shows(PROMPT);
    terminal.type("Pay invoice 1 over 120 EUR to ACME\r");
    await terminal.shows("Allow it? [y/n]");
    expect(await terminal.screen.text()).toContain('"payee": "ACME"');
    expect(await pays.deployment.succeed("status", "pays")).toContain("1 approval waits for your answer: ");
    expect(await pays.deployment.succeed("approvals")).toMatch(
      /^pays: “Pay invoice 1 over 120 EUR to ACME”\npayments wants/,
    );
    terminal.type("\u001b[200~yes\r\u001b[201~maybe\r");
    await terminal.shows("Please type yes or no.");
    expect(await pays.paid()).toEqual([]);
    terminal.type("y\r");
    await terminal.shows("Receipt 1: ");
    expect(await pays.deployment.succeed("approvals", "pays")).toBe("No approval waits.\n");
    expect(await pays.paid()).toEqual(["1"]);
  });

  test("Ctrl-C at the question answers nothing, and Ctrl-D leaves it waiting; the next run asks again", async () => {
    {
      await using terminal = pays.deployment.terminal(["chat", "pays", "--new"]);
      await terminal.shows(PROMPT);
      terminal.type("Pay invoice 2 over 120 EUR to ACME\r");
      await terminal.shows("Allow it?");
      terminal.type(CTRL_C);
      await terminal.shows("Nothing was answered; the task still waits.");
      await terminal.shows(PROMPT);
      terminal.type("Pay invoice 3 over 120 EUR to ACME\r");
      await terminal.until((screen) => screen.split("Allow it?").length === 3, "the second question");
      terminal.type(CTRL_D);
      expect(await terminal.exit).toBe(3);
    }
    await using again = pays.deployment.terminal(["chat", "pays"]);
    const screen = await again.shows("Allow it?");
    expect(screen).toContain("Your last question is not answered yet:\nPay invoice 3");
    again.type("no\r");
    await again.shows("said no");
    expect(await pays.paid()).toEqual(["1"]);
  });
});

test("what was typed before a question answers nothing, and a cancellation names what a tool had done before", async () => {
  await using slow = await ApprovalJob.deploy("slow-pay", {
    more: "model: { provider: offline, offline: { ttft: 2s } }",
  });
  await using terminal = slow.deployment.terminal(["chat", "slow-pay", "--new"], { rows: 50 });
  await terminal.shows(PROMPT);
  terminal.type("Pay invoice 7 over 120 EUR to ACME\r");
  await terminal.shows(/assistant {2}(works|thinks)/);
  terminal.type("y\r");
  await terminal.shows('Typed before this question, so not an answer to it: "y"');
  await terminal.shows("Allow it?");
  terminal.type("y\r");
  await terminal.shows(/payments {4}thinks/);
  terminal.type(CTRL_C);
  // What was typed before the question stands in the line, not sent.
  const screen = await terminal.shows(/Done before that, and not undone:[^]*\n> y$/);
  expect(screen).toMatch(/\n {2}payments: pay_invoice \{"invoice":"7"/);
  expect(await slow.paid()).toEqual(["7"]);
});
