// Agents' definitions, looked at in a real workerd: what is wrong with them is told with its place in the sources, all at once.
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { loadJob } from "#jobs/load.ts";
import { formatMistake, type Mistake } from "#jobs/file/mistake.ts";

import { type BuildResult, buildWorkers } from "../../../scripts/project/build.ts";
import { checkAgents } from "../../../scripts/inspection/check-agents.ts";
import { askWorkers } from "../../../scripts/inspection/engine.ts";
import { missingExports } from "../../../scripts/inspection/missing-exports.ts";
import { PROJECT } from "../../../scripts/project/project.ts";

const WORKERS = ["flawed", "throws", "hangs", "foreign", "bare", "picky"];
const never = new AbortController().signal;
const AGENTS = `${relative(process.cwd(), join(PROJECT, "test/fixtures/agents"))}/`;

let home: string;
let built: BuildResult;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-inspection-"));
  built = await build(...WORKERS);
}, 60_000);
afterAll(async () => rm(home, { recursive: true, force: true }));

async function build(...names: string[]): Promise<BuildResult> {
  return buildWorkers(home, Object.fromEntries(names.map((name) => [name, `test/fixtures/agents/${name}/index.ts`])));
}

/** The mistakes of a job of these agents, without the folder in which they lie. */
async function mistakesOf(agents: string, from = built): Promise<string[]> {
  const text = `name: x\nagents: [${agents}]\ntopology: { type: dynamic }\nexecution: { entry_point: ${/\w+(?=[ ,])/.exec(agents.slice(6))?.[0]} }\n`;
  const loaded = loadJob(text, "job.yaml", { workers: [...WORKERS, "broken"], variables: new Set() });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes.map(formatMistake).join("\n"));
  const found = await checkAgents(home, loaded, from, never);
  return found.map(shownShort);
}

function shownShort(mistake: Mistake): string {
  return formatMistake(mistake).replace("\n    ", " | ").replace(AGENTS, "");
}

test("all faults of a definition are told at once, each where it stands", async () => {
  expect(await mistakesOf("{ id: flawed }")).toMatchInlineSnapshot(`
    [
      "flawed/index.ts:1:1: skills[1].tags of the agent: expected array, received string",
      "flawed/index.ts:1:1: no tool can be called "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" | A tool's name is letters a-z, digits, _ and -, at most 128.",
      "flawed/index.ts:10:3: the agent has no field "skill" | Did you mean "skills"?",
      "flawed/index.ts:13:11: two skills have the id "one" | Give each an id of its own.",
      "flawed/index.ts:15:3: the outputSchema cannot be used: A structured output cannot hold a record, whose keys are not known: use a list of objects.",
      "flawed/index.ts:17:5: There is no hook event PreTolUse. Did you mean "PreToolUse"?",
      "flawed/index.ts:18:5: The timeout of a PreToolUse hook is 0: it has to be a number of seconds above 0.",
      "flawed/index.ts:18:5: The onFailure of a PreToolUse hook is "stop": it has to be continue or block.",
      "flawed/index.ts:19:18: a PreToolUse hook waits for the tool "odd_one", which never comes | Did you mean "odd.one"?",
      "flawed/index.ts:19:18: a PreToolUse hook waits for the tool "matterz", which never comes | Did you mean "matters"?",
      "flawed/index.ts:20:18: the PreToolUse matcher "^nothing_" fits no tool | There is: pick, odd.one, matters, tree, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, by_hand, find_agents, query_agent.",
      "flawed/index.ts:21:18: The PreToolUse matcher "(" is no regular expression (Invalid regular expression: /(/: Unterminated group). Write a name, names separated by |, or a regular expression.",
      "flawed/index.ts:22:29: A PreToolUse hook has no field "onfailure". Did you mean "onFailure"?",
      "flawed/index.ts:25:31: a SessionStart hook waits for the source "start", which never comes | Did you mean "startup"?",
      "flawed/index.ts:27:62: the tool by_hand lacks the field "description"",
      "flawed/index.ts:27:62: the tool by_hand lacks the field "annotations"",
      "flawed/index.ts:27:62: run of the tool by_hand: it has to be a function",
      "flawed/index.ts:27:62: the tool by_hand has no input schema | Make tools with defineTool.",
      "flawed/index.ts:28:60: no tool can be called "web search" | A tool's name is letters a-z, digits, _ and -, at most 128.",
      "flawed/tools.ts:9:9: the input of the tool pick is a choice of shapes (oneOf), which the Messages API refuses | Make it one z.object, with the choice inside a field, or make a tool of each.",
      "flawed/tools.ts:18:45: the input of the tool pick is no object, which the Messages API refuses | Make it a z.object.",
      "flawed/tools.ts:18:45: two tools are called pick | Give each a name of its own; find_agents and query_agent are Troupe's.",
      "flawed/tools.ts:20:9: no tool can be called "odd.one" | A tool's name is letters a-z, digits, _ and -, at most 128.",
      "flawed/tools.ts:22:21: the Messages API refuses the field "größe" of the tool odd.one | A field's name is letters a-z, digits, _, - and ., at most 64.",
      "flawed/tools.ts:22:40: the Messages API refuses the field "filter[name]" of the tool odd.one | A field's name is letters a-z, digits, _, - and ., at most 64.",
      "flawed/tools.ts:27:9: annotations of the tool matters lacks the field "readOnly"",
      "flawed/tools.ts:30:18: annotations of the tool matters has no field "readonly" | Did you mean "readOnly"?",
      "flawed/tools.ts:31:3: the tool matters has no field "limitMS" | Did you mean "limitMs"?",
      "flawed/tools.ts:40:40: the input of the tool tree holds itself, which the Messages API refuses | Write its levels out.",
    ]
  `);
});

test("an agent that throws at its start is named with file and line, and the others are still checked", async () => {
  expect(
    await mistakesOf("{ id: throws }, { id: picky, config: { ledger: { kind: memory } }, permissions: { ask: [x] } }"),
  ).toEqual([
    'job.yaml:2:98: picky has no tool "x" | There is: pay_brief, find_agents, query_agent.',
    "throws/title.ts:3:1: the agent cannot start: RangeError: there is no title",
  ]);
});

test("an agent that does not build is a mistake of the jobs that use it, and no other's", async () => {
  const some = await build("broken", "foreign");
  expect(await mistakesOf("{ id: broken }", some)).toEqual([
    'broken/index.ts:5:51: it does not build: Expected identifier but found ";"',
  ]);
  expect(some.bundles.has("foreign")).toBe(true);
});

test("a module without its objects, and one that is no agent, say what to add", async () => {
  const objects = "it does not export Session, Beacon, SessionIndex, without which the agent cannot run";
  const hint = "Add: export const { Session, Beacon, SessionIndex } = agent.objects;";
  expect(await mistakesOf("{ id: bare }, { id: foreign }")).toEqual([
    `bare/index.ts:1:1: ${objects} | ${hint}`,
    `foreign/index.ts:1:1: ${objects} | ${hint}`,
    "foreign/index.ts:1:1: its default export is not the handler of an agent | Write: export default agent.worker; where agent is what defineAgent returns.",
  ]);
});

test("what a module cannot export is known before it is built", async () => {
  const agents = ["bare", "foreign", "picky", "nowhere"].map((id) => ({ id, worker: id }));
  const text = `name: x\nagents: ${JSON.stringify(agents)}\ntopology: { type: mesh }\nexecution: { entry_point: bare }\n`;
  const workers = [...WORKERS, "nowhere"];
  const loaded = loadJob(text, "job.yaml", { workers, variables: new Set() });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes.map(formatMistake).join("\n"));
  const found = await missingExports(loaded.job, workers, "test/fixtures/agents");
  const objects = "it does not export Session, Beacon, SessionIndex, without which the agent cannot run";
  const hint = "Add: export const { Session, Beacon, SessionIndex } = agent.objects;";
  expect(found.map(shownShort)).toEqual([
    `bare/index.ts:1:1: ${objects} | ${hint}`,
    `foreign/index.ts:1:1: ${objects} | ${hint}`,
    "nowhere/index.ts:1:1: the file is missing: an agent begins with it",
  ]);
});

test("a module that cannot be read is not called missing", async () => {
  const folder = join(home, "unreadable");
  await mkdir(join(folder, "bare", "index.ts"), { recursive: true });
  const text = "name: x\nagents: [{ id: bare }]\ntopology: { type: mesh }\n";
  const loaded = loadJob(text, "job.yaml", { workers: ["bare"], variables: new Set() });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes.map(formatMistake).join("\n"));
  const [found] = await missingExports(loaded.job, ["bare"], relative(PROJECT, folder));
  expect(found?.message).toMatch(/^it cannot be read: EISDIR/);
});

describe("settings", () => {
  test.each([
    "{ ledger: { kind: memory } }",
    "{ ledger: { kind: server, url: 'http://x.example' }, mode: full, labels: { any: name } }",
  ])("that fit are taken: %s", async (config) => {
    expect(await mistakesOf(`{ id: picky, config: ${config} }`)).toEqual([]);
  });

  test.each([
    ["{}", 'job.yaml:2:31: picky: config lacks the field "ledger"'],
    [
      "{ ledger: { kind: sever } }",
      'job.yaml:2:49: picky: config.ledger.kind cannot be "sever" | Did you mean "server"?',
    ],
    [
      "{ ledger: { kind: server, ulr: 'http://x.example' } }",
      'job.yaml:2:41: picky: config.ledger lacks the field "url"',
      'job.yaml:2:57: picky: config.ledger has no field "ulr" | Did you mean "url"?',
    ],
    [
      "{ ledger: { kind: memory, url: x } }",
      'job.yaml:2:57: picky: config.ledger has no field "url" | There is: kind.',
    ],
    [
      "{ ledgr: { kind: memory }, ledger: { kind: memory } }",
      'job.yaml:2:33: picky: config has no field "ledgr" | Did you mean "ledger"?',
    ],
    [
      "{ ledger: { kind: memory }, mode: breif }",
      'job.yaml:2:65: picky: config.mode cannot be "breif" | Did you mean "brief"?',
    ],
    [
      "{ ledger: { kind: memory }, labels: { bad: x } }",
      "picky/index.ts:22:1: its tools cannot be chosen: a bad label",
    ],
  ])("that do not fit are shown where they stand: %s", async (config, ...mistakes) => {
    expect(await mistakesOf(`{ id: picky, config: ${config} }`)).toEqual(mistakes);
  });
});

test("what an agent said once of a configuration is not asked again", async () => {
  const flawed = built.bundles.get("flawed");
  if (!flawed) throw new Error("The bundle is missing.");
  const before = await mistakesOf("{ id: flawed, description: asked once }");
  await rename(flawed.path, `${flawed.path}.away`);
  try {
    expect(await mistakesOf("{ id: flawed, description: asked once }")).toEqual(before);
    await expect(mistakesOf("{ id: flawed, description: asked anew }")).rejects.toThrow("workerd ended");
  } finally {
    await rename(`${flawed.path}.away`, flawed.path);
  }
});

test("an agent that never gets done with its start is named, and those after it are still asked", async () => {
  const [hangs, foreign] = ["hangs", "foreign"].map((name) => built.bundles.get(name));
  if (!hangs || !foreign) throw new Error("The bundles are missing.");
  const questions = [hangs, foreign].map((bundle) => ({ bundle, configs: [{}] }));
  const answers = await askWorkers(home, questions, never, 4_000);
  expect(answers).toEqual([{ thrown: "it does not answer within 4 s", stack: "" }, { foreign: true }]);
}, 30_000);
