// What a user can get wrong at the command line: each exits with 2 and says what to do; nothing is started.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { Deployment } from "../support/deployment.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
  await mkdir(join(deployment.home, "binaries"));
  await mkdir(join(deployment.home, "empty"));
  await writeFile(join(deployment.home, "binaries", "image.png"), Uint8Array.of(1, 0, 2));
  await writeFile(join(deployment.home, "binaries", "disguised.md"), Uint8Array.of(1, 0, 2));
  await deployment.write("typo.yaml", "name: x\nagents: [{ id: searcher }]\ntopology: { type: mash }\nisolaton: job\n");
  await deployment.write(
    "ask.yaml",
    "name: ask\nagents:\n  - id: desk\n  - id: payments\n    permissions: { ask: [pay_invoce] }\n    config: { ledger: x }\n" +
      "topology: { type: pipeline, stages: [desk, payments] }\n",
  );
  await deployment.write(
    "both.yaml",
    "name: both\nisolaton: job\nagents: [{ id: payments, permissions: { deny: [list] } }]\ntopology: { type: mesh }\n",
  );
  await deployment.write(
    "away.yaml",
    "name: x\nagents:\n  - { id: desk, target: local }\n  - { id: payments, target: cloudflare }\n" +
      "topology: { type: pipeline, stages: [desk, payments] }\ncontrol_plane: { target: cloudflare }\n",
  );
  await deployment.write("hosts", "h1\nh2 slots=0\n[workers\n");
  await deployment.write(
    "apart.yaml",
    "name: x\nagents:\n  - { id: desk, target: ssh://h1 }\n  - { id: payments, target: local }\n" +
      "topology: { type: pipeline, stages: [desk, payments] }\naccounts: optional\n",
  );
});
afterAll(async () => deployment.close());

const TABLE: readonly (readonly [rule: string, args: string, ...messages: string[]])[] = [
  ["an unknown command gets the nearest", "deplyo", 'There is no command "deplyo". Did you mean "deploy"?'],
  ["an unknown flag gets the nearest", "status x --jsno", 'status has no flag --jsno. Did you mean "--json"?'],
  [
    "an unknown job gets the nearest",
    "deploy research-asistant",
    'There is no job "research-asistant" in jobs/. Did you mean "research-assistant"?',
  ],
  [
    "a job that is not deployed can be",
    "query research-assistant hi",
    'The job "research-assistant" is not deployed.',
    "troupe.mjs deploy research-assistant",
  ],
  ["a file that is not there is named", "validate nowhere.yaml", "There is no file nowhere.yaml."],
  [
    "every mistake of a job file is shown",
    "deploy typo.yaml",
    'typo.yaml:3:19: topology.type cannot be "mash"',
    'Did you mean "mesh"?',
    'typo.yaml:4:1: unknown field "isolaton"',
    "2 mistakes. Nothing was changed.",
  ],
  ...["deploy", "plan", "validate"].map((verb): [string, string, ...string[]] => [
    `${verb} holds the names in a job against the agents' code`,
    `${verb} ask.yaml`,
    'ask.yaml:5:26: payments has no tool "pay_invoce"',
    'Did you mean "pay_invoice"?',
    'ask.yaml:6:15: payments: config has no field "ledger"',
  ]),
  [
    "validate holds what can be read of a file with mistakes against the code too",
    "validate both.yaml",
    'both.yaml:2:1: unknown field "isolaton"',
    'both.yaml:3:48: payments has no tool "list"',
  ],
  ["a job here and on Cloudflare is refused", "deploy away.yaml", "This version can only validate and plan such a job"],
  ...["deploy approvals", "plan approvals", "start", "validate both.yaml"].map(
    (args): [string, string, ...string[]] => [
      `${args} shows every mistake of a host file`,
      `${args} --hosts hosts`,
      "hosts:2:10: slots is a number from 1 to 10000",
      "hosts:3:1: the ] of the group is missing",
    ],
  ),
  [
    "validate shows every mistake of places",
    "validate apart.yaml",
    'apart.yaml:3:25: the agent "desk" on h1 cannot reach "payments" on local, which has no address',
    "apart.yaml:6:11: accounts cannot be optional",
  ],
  [
    "an unknown --target gets the nearest",
    "plan approvals --target lokal",
    'unknown target "lokal"',
    'Did you mean "local"?',
  ],
  ["a missing host file is named", "plan approvals --hosts nowhere", "There is no file nowhere."],
  ["a missing corpus is named", "deploy research-assistant --corpus nowhere", "There is no folder nowhere."],
  [
    "a corpus of binaries is counted",
    "deploy research-assistant --corpus binaries",
    "The folder binaries holds 2 files, but none of them is a document.",
  ],
  ["an empty corpus is said to be", "start --corpus empty", "The folder empty is empty."],
  ["a flag without its value is named", "deploy research-assistant --corpus", "--corpus needs a value: --corpus DIR"],
  [
    "a question in pieces belongs in quotes",
    "query x what is",
    '"is" is one argument too many',
    "Put text with spaces in quotes.",
  ],
  ["a time without a unit is explained", "cleanup --older-than 7", "--older-than takes a number and a unit"],
];

test.each(TABLE)("%s", async (_, args, ...messages) => {
  const { code, stdout, stderr } = await deployment.troupe(...args.split(" "));
  expect([code, stdout]).toEqual([2, ""]);
  for (const message of messages) expect(stderr).toContain(message);
});

test("what was typed is quoted without what would move the cursor", async () => {
  const { stderr } = await deployment.troupe("status", "\u001b[2Jname");
  expect(stderr).toContain('There is no job " [2Jname".');
});

test("a plan says which model each agent asks", async () => {
  expect(await deployment.succeed("plan", "approvals")).toMatch(/^ +payments +local +payments +offline +any /m);
});

test("nothing was deployed by any of it", async () => {
  const { stdout } = await deployment.troupe("list");
  expect(stdout).not.toContain("running");
});

test("help is there for all commands and for each", async () => {
  const help = await deployment.succeed("--help");
  const verbs = [
    "start",
    "validate",
    "plan",
    "deploy",
    "list",
    "status",
    "logs",
    "query",
    "stop",
    "restart",
    "cleanup",
  ];
  for (const verb of verbs) {
    expect(help).toContain(`  ${verb} `);
    expect(await deployment.succeed(verb, "--help")).toContain(`Usage: troupe ${verb}`);
  }
});
