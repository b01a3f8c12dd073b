// Every mistake a job file can hold, and how it is shown: one table, each row a file and the lines it must give.
import { describe, expect, test } from "vitest";

import { loadJob } from "#jobs/load.ts";
import { formatMistake } from "#jobs/file/mistake.ts";

const SURROUNDINGS = {
  workers: ["coordinator", "fact-checker", "searcher", "summarizer"],
  variables: new Set(["HOME", "BRAVE_KEY"]),
};

function mistakesOf(text: string): string[] {
  const result = loadJob(text, "job.yaml", SURROUNDINGS);
  return "mistakes" in result ? result.mistakes.map((mistake) => formatMistake(mistake).replace("\n    ", " | ")) : [];
}

const AGENTS = `name: x
agents:
  - id: coordinator
  - id: searcher
  - id: summarizer
`;
const DYNAMIC = `topology: { type: dynamic }
execution: { entry_point: coordinator }
`;

const REMOTES = `name: x
agents:
  - id: searcher
  - id: summarizer
  - id: weather
    remote: https://weather.example
`;

const TABLE: readonly (readonly [rule: string, text: string, ...mistakes: string[]])[] = [
  [
    "an empty file is said to be empty",
    "",
    "job.yaml:1:1: the file is empty | A job begins with its name: `name: my-job`.",
  ],
  [
    "a file of comments is empty",
    "# nothing\n",
    "job.yaml:1:1: the file is empty | A job begins with its name: `name: my-job`.",
  ],
  [
    "a list is no job",
    "- a\n",
    "job.yaml:1:1: the file is not a job: it must be a mapping of fields | A job begins with its name: `name: my-job`.",
  ],
  [
    "what is not YAML is shown where it breaks",
    "name: [x\n",
    "job.yaml:2:1: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["a field given twice is not YAML", "name: x\nname: y\n", "job.yaml:2:1: not YAML: Map keys must be unique"],
  [
    "two documents are one too many",
    `${AGENTS}${DYNAMIC}---\nname: y\n`,
    "job.yaml:8:1: the file holds more than one YAML document | Write one job in each file, without a second ---.",
  ],
  [
    "a missing field is named",
    "name: x\nagents: [{ id: searcher }]\n",
    'job.yaml:1:1: the job lacks the field "topology"',
  ],
  [
    "an unknown field gets the nearest right one",
    `${AGENTS}${DYNAMIC}isolatoin: agent\n`,
    'job.yaml:8:1: unknown field "isolatoin" | Did you mean "isolation"?',
  ],
  [
    "an unknown field of an agent gets the agent's fields",
    `name: x\nagents:\n  - id: searcher\n    modle: {}\ntopology: { type: dynamic }\n`,
    'job.yaml:4:5: unknown field "modle" | Did you mean "model"?',
  ],
  [
    "an unknown field of a topology gets the fields of its type",
    `${AGENTS}topology: { type: hub-spoke, hub: coordinator, spoke: [searcher, summarizer] }\n`,
    'job.yaml:6:11: topology lacks the field "spokes"',
    'job.yaml:6:48: unknown field "spoke" | Did you mean "spokes"?',
  ],
  [
    "an unknown topology gets the nearest right one",
    `${AGENTS}topology: { type: hubspoke }\n`,
    'job.yaml:6:19: topology.type cannot be "hubspoke" | Did you mean "hub-spoke"?',
  ],
  [
    "an unknown provider gets the nearest right one",
    `${AGENTS}${DYNAMIC}model: { provider: antropic }\n`,
    'job.yaml:8:20: model.provider cannot be "antropic" | Did you mean "anthropic"?',
  ],
  [
    "a number where text belongs is to be quoted",
    `${AGENTS}${DYNAMIC}version: 1.5\n`,
    'job.yaml:8:10: version must be a string, not a number | Put it in quotes: "1.5".',
  ],
  [
    "a number is to be quoted as it was typed",
    `name: 1e3\nagents:\n  - id: searcher\n    description: 007\ntopology: { type: dynamic }\nversion: 1.10\ntags: [0x1F, 1_0, -0.50, true]\n`,
    'job.yaml:1:7: name must be a string, not a number | Put it in quotes: "1e3".',
    'job.yaml:4:18: agents[0].description must be a string, not a number | Put it in quotes: "007".',
    'job.yaml:6:10: version must be a string, not a number | Put it in quotes: "1.10".',
    'job.yaml:7:8: tags[0] must be a string, not a number | Put it in quotes: "0x1F".',
    'job.yaml:7:19: tags[2] must be a string, not a number | Put it in quotes: "-0.50".',
    'job.yaml:7:26: tags[3] must be a string, not a boolean | Put it in quotes: "true".',
  ],
  [
    "a number that is no id in quotes either gets the rule",
    "name: x\nagents: [{ id: 007 }]\ntopology: { type: dynamic }\n",
    "job.yaml:2:16: agents[0].id must be a string, not a number | Choose another: an agent's id is lower-case letters, digits and _, beginning with a letter.",
  ],
  [
    "a number where one of several words belongs is to be quoted",
    `${AGENTS}${DYNAMIC}model: { offline: { fault: 401 } }\n`,
    'job.yaml:8:28: model.offline.fault cannot be a number | Put it in quotes: "401".',
  ],
  [
    "a number where a duration belongs gets its unit",
    `${AGENTS}${DYNAMIC}heartbeat: { interval: 5 }\nbudget: { max_wall_time: -90 }\n`,
    'job.yaml:8:24: heartbeat.interval must be a string, not a number | A duration is a number and a unit: "5s".',
    'job.yaml:9:26: budget.max_wall_time must be a string, not a number | A duration is a number and a unit, such as "90s".',
  ],
  ...["off", "yes", '"true"', "1"].map((typed): readonly [string, string, string] => [
    `${typed} is neither true nor false`,
    `${AGENTS}${DYNAMIC}tracing: ${typed}\n`,
    `job.yaml:8:10: tracing must be a boolean, not a ${typed === "1" ? "number" : "string"} | Write true or false.`,
  ]),
  [
    "a number in quotes is to be written without them",
    `${AGENTS}${DYNAMIC}budget: { max_turns: "6", max_usd: "0.5", max_tokens: 12:30 }\n`,
    "job.yaml:8:22: budget.max_turns must be a number, not a string | Write it without quotes: 6.",
    "job.yaml:8:36: budget.max_usd must be a number, not a string | Write it without quotes: 0.5.",
    "job.yaml:8:55: budget.max_tokens must be a number, not a string",
  ],
  [
    "a number without an end is none",
    `${AGENTS}${DYNAMIC}budget: { max_usd: .inf, max_turns: .nan, max_tokens: 1.5, max_tool_calls: 1e999 }\n`,
    "job.yaml:8:20: budget.max_usd must be a number, not Infinity",
    "job.yaml:8:37: budget.max_turns must be a number, not NaN",
    "job.yaml:8:55: budget.max_tokens must be a whole number, not one with a fraction",
    "job.yaml:8:76: budget.max_tool_calls must be a number, not Infinity",
  ],
  ...["expires: 0s", "expires: 0.4ms"].map((typed): readonly [string, string, string] => [
    `an approval that ${typed} is over before it is asked for`,
    `${AGENTS}${DYNAMIC}approvals: { ${typed} }\n`,
    "job.yaml:8:23: approvals.expires: a duration must be 1ms or longer",
  ]),
  [
    "a duration is neither nothing nor less, nor longer than a timer waits",
    `${AGENTS}${DYNAMIC}deployment: { timeout: 0s, health_check: { interval: 0ms, timeout: -1s } }\nbudget: { max_wall_time: 25d }\n`,
    "job.yaml:8:24: deployment.timeout: a duration must be 1ms or longer",
    "job.yaml:8:54: deployment.health_check.interval: a duration must be 1ms or longer",
    "job.yaml:8:68: deployment.health_check.timeout: a duration is a number and a unit, such as 500ms, 90s, 5m or 2h",
    "job.yaml:9:26: budget.max_wall_time: a duration may be 24d at most",
  ],
  ["a first token may come at once", `${AGENTS}${DYNAMIC}model: { offline: { ttft: 0s } }\n`],
  [
    "a merge key merges a mapping, which is checked where it stands",
    `name: x\nagents:\n  - &one\n    id: searcher\n    budget: { max_turns: 0 }\n  - <<: *one\n    id: summarizer\ntopology: { type: mesh }\nexecution: { entry_point: searcher }\n`,
    "job.yaml:5:26: agents[0].budget.max_turns: Too small: expected number to be >0",
    "job.yaml:5:26: agents[1].budget.max_turns: Too small: expected number to be >0",
  ],
  [
    "fields that begin with x- are the file's own, at every place",
    `x-budget: &b { max_turns: 6 }\n${AGENTS}topology: { type: dynamic, x-why: later }\nexecution: { entry_point: coordinator }\nbudget: { <<: *b, x-note: [1] }\n`,
  ],
  [
    "a field that only looks like one of the file's own is unknown",
    `${AGENTS}${DYNAMIC}xbudget: 1\n`,
    'job.yaml:8:1: unknown field "xbudget" | Did you mean "budget"?',
  ],
  [
    "a merge key takes in nothing else",
    `${AGENTS}${DYNAMIC}budget: { <<: 5 }\n`,
    "job.yaml:8:15: <<: merges a mapping, or a list of mappings | Such as <<: *name.",
  ],
  [
    "an alias of nothing is named",
    `${AGENTS}${DYNAMIC}budget: { <<: *b }\n`,
    "job.yaml:8:15: the alias *b has no anchor | Put the anchor &b before the repeated part, further up.",
  ],
  [
    "an alias cannot stand in what it stands for",
    `name: x\nagents:\n  - id: searcher\n    config: &c { again: [*c] }\ntopology: { type: dynamic }\n`,
    "job.yaml:4:26: an alias (*name) stands within its own anchor | Write the repeated part out.",
  ],
  ...["!!binary aGk=", "!!timestamp 2026-11-30", "!!set { a, b }"].map((typed): readonly [string, string, string] => [
    `a job holds no ${typed.slice(2, 8)}`,
    `name: x\nagents:\n  - id: searcher\n    config: { at: ${typed} }\ntopology: { type: dynamic }\n`,
    `job.yaml:4:${20 + typed.indexOf(" ")}: a job holds text, numbers, lists and mappings, not other types of YAML | Write plain text, in quotes, or a mapping or list without a tag.`,
  ]),
  ["a byte order mark and line ends of Windows change nothing", `\uFEFF${AGENTS}${DYNAMIC}`.replaceAll("\n", "\r\n")],
  [
    "dates and words that look like something else are text",
    `${AGENTS}${DYNAMIC}description: 2026-11-30\ntags: [yes, 12:30, 1_000]\n`,
  ],
  [
    "a tab does not indent",
    "name: x\nagents:\n\t- id: searcher\ntopology: { type: dynamic }\n",
    "job.yaml:3:1: not YAML: Tabs are not allowed as indentation",
  ],
  [
    "a list is no field's name",
    `${AGENTS}${DYNAMIC}? [a, b]\n: c\n`,
    'job.yaml:1:1: unknown field "[ a, b ]" | There is: name, version, description, tags, agents, topology, model, isolation, heartbeat, deployment, control_plane, budget, ….',
  ],
  [
    "a duration without a unit is refused",
    `${AGENTS}${DYNAMIC}heartbeat: { interval: "5" }\n`,
    "job.yaml:8:24: heartbeat.interval: a duration is a number and a unit, such as 500ms, 90s, 5m or 2h",
  ],
  [
    "an interval that the registry does not take is refused",
    `${AGENTS}${DYNAMIC}heartbeat: { interval: 2h }\n`,
    "job.yaml:8:24: a heartbeat interval must be from 100ms to 1h | Such as 5s.",
  ],
  [
    "a name of nothing but spaces is refused",
    "name: x\nagents: [{ id: searcher, name: ' ', description: '' }]\ntopology: { type: mesh }\n",
    "job.yaml:2:32: agents[0].name: Too small: expected string to have >=1 characters",
    "job.yaml:2:50: agents[0].description: Too small: expected string to have >=1 characters",
  ],
  [
    "a stage of numbers is refused once",
    `${AGENTS}topology: { type: pipeline, stages: [7] }\n`,
    "job.yaml:6:38: topology.stages[0] must be a name or a list of names, not a number",
  ],
  [
    "an unknown agent gets the nearest right one",
    `${AGENTS}topology: { type: hub-spoke, hub: coordinater, spokes: [searcher, summarizer] }\n`,
    'job.yaml:6:35: there is no agent "coordinater" | Did you mean "coordinator"?',
  ],
  [
    "an unknown agent nowhere near one gets the list",
    `${AGENTS}topology: { type: hub-spoke, hub: zzzzzzzz, spokes: [searcher, summarizer] }\n`,
    'job.yaml:6:35: there is no agent "zzzzzzzz" | There is: coordinator, searcher, summarizer.',
  ],
  [
    "an unknown entry point is an unknown agent",
    `${AGENTS}topology: { type: mesh }\nexecution: { entry_point: summariser }\n`,
    'job.yaml:7:27: there is no agent "summariser" | Did you mean "summarizer"?',
  ],
  [
    "an unknown parent is shown at its key",
    `${AGENTS}topology:\n  type: hierarchical\n  root: coordinator\n  levels:\n    - [searcher]\n    - sercher: [summarizer]\n`,
    'job.yaml:11:7: there is no agent "sercher" | Did you mean "searcher"?',
    'job.yaml:11:7: the agent "sercher" is not in the level above | Did you mean "searcher"?',
  ],
  [
    "an id may be used once",
    `name: x\nagents:\n  - id: searcher\n  - id: searcher\ntopology: { type: mesh }\nexecution: { entry_point: searcher }\n`,
    'job.yaml:4:9: the id "searcher" is used twice | Give each agent an id of its own.',
  ],
  [
    "a worker needs its folder",
    `name: x\nagents:\n  - id: seeker\n    worker: sercher\ntopology: { type: dynamic }\n`,
    'job.yaml:4:13: unknown worker "sercher": there is no folder workers/agents/sercher | Did you mean "searcher"?',
  ],
  [
    "two agents cannot share a port",
    `name: x\nagents:\n  - { id: searcher, port: 9000 }\n  - { id: summarizer, port: 9000 }\ntopology: { type: dynamic }\nexecution: { entry_point: searcher }\n`,
    'job.yaml:4:29: port 9000 is taken by the agent "searcher" | Use another port, or 0 for any free one. Ports differ over a whole job, also between hosts.',
  ],
  [
    "a tool both allowed and denied is a contradiction",
    `name: x\nagents:\n  - id: searcher\n    permissions: { allow: [fetch_url], deny: [web_search, fetch_url] }\ntopology: { type: dynamic }\n`,
    'job.yaml:4:28: "fetch_url" is under allow, but "fetch_url" under deny takes it away | Remove it from one of them.',
  ],
  [
    "a wider denial leaves nothing of a question, a narrower one is an exception",
    `name: x\nagents:\n  - id: searcher\n    permissions: { allow: ["web_*"], ask: [fetch_url], deny: ["fetch_*", web_search] }\ntopology: { type: dynamic }\n`,
    'job.yaml:4:44: "fetch_url" is under ask, but "fetch_*" under deny takes it away | Remove it from one of them.',
  ],
  [
    "a tool may be allowed and asked about",
    `name: x\nagents:\n  - id: searcher\n    permissions: { preset: read_only, allow: [send_mail], ask: [send_mail] }\ntopology: { type: dynamic }\n`,
  ],
  [
    "a star stands at the end of a rule",
    `name: x\nagents:\n  - id: searcher\n    permissions: { deny: ["*_url", ""] }\ntopology: { type: dynamic }\n`,
    "job.yaml:4:27: agents[0].permissions.deny[0]: a rule is a tool's name; * may stand at its end, for any rest",
    "job.yaml:4:36: agents[0].permissions.deny[1]: a rule is a tool's name; * may stand at its end, for any rest",
  ],
  [
    "an unknown preset gets the nearest right one",
    `name: x\nagents:\n  - id: searcher\n    permissions: { preset: readonly }\ntopology: { type: dynamic }\n`,
    'job.yaml:4:28: agents[0].permissions.preset cannot be "readonly" | Did you mean "read_only"?',
  ],
  [
    "an agent that a policy names must exist",
    `${AGENTS}${DYNAMIC}approvals:\n  policy:\n    - { tool: pay, agent: sercher, decision: allow }\n`,
    'job.yaml:10:27: there is no agent "sercher" | Did you mean "searcher"?',
  ],
  [
    "a rule of the policy that never counts is shown",
    `${AGENTS}${DYNAMIC}approvals:\n  policy:\n    - { tool: "pay*", decision: deny }\n    - { tool: pay, input: { to: me }, decision: allow }\n`,
    'job.yaml:11:7: this rule never applies: rule 1 of the policy answers for "pay" already | Put it before that rule: the first rule that fits applies.',
  ],
  [
    "an approval waits for a month at most",
    `${AGENTS}${DYNAMIC}approvals: { expires: 31d }\n`,
    "job.yaml:8:23: an approval may wait 30d at most | Write 30d or less.",
  ],
  [
    "a rule of the policy counts behind one for less: another agent, some inputs, some tools",
    `${AGENTS}${DYNAMIC}approvals:\n  policy:\n    - { tool: pay, agent: searcher, decision: deny }\n    - { tool: pay, input: { to: me }, decision: deny }\n    - { tool: payback, decision: deny }\n    - { tool: "pay*", decision: allow }\n`,
  ],
  [
    "a cycle in a dag is spelled out",
    `${AGENTS}topology:\n  type: dag\n  connections:\n    - { from: coordinator, to: searcher }\n    - { from: searcher, to: summarizer }\n    - { from: summarizer, to: coordinator }\n`,
    "job.yaml:11:7: a dag must not hold a cycle: coordinator → searcher → summarizer → coordinator | Remove one of these connections.",
  ],
  [
    "an agent that asks itself is a cycle",
    `${AGENTS}topology: { type: dag, connections: [{ from: searcher, to: searcher }] }\n`,
    "job.yaml:6:38: a dag must not hold a cycle: searcher → searcher | Remove one of these connections.",
  ],
  [
    "a mesh needs an entry point",
    `${AGENTS}topology: { type: mesh }\n`,
    "job.yaml:6:13: it is not clear which agent takes the questions | Name it: execution: { entry_point: coordinator }.",
  ],
  [
    "an agent outside the topology is shown",
    `${AGENTS}topology: { type: hub-spoke, hub: coordinator, spokes: [searcher] }\n`,
    'job.yaml:5:9: the agent "summarizer" has no place in the topology | Connect it, or remove it.',
  ],
  [
    "an agent has one place in a pipeline",
    `${AGENTS}topology: { type: pipeline, stages: [coordinator, [searcher, summarizer], searcher] }\n`,
    'job.yaml:6:75: the agent "searcher" has a place in this topology already | Name it once.',
  ],
  [
    "an unset variable is named, with the nearest that is set",
    `${AGENTS}${DYNAMIC}environment:\n  KEY: "\${BRAVE_KEI}"\n`,
    'job.yaml:9:8: the variable BRAVE_KEI is not set | Did you mean "BRAVE_KEY"?',
  ],
  [
    "an unset variable near nothing is to be set",
    `${AGENTS}${DYNAMIC}environment:\n  KEY: "x-\${SEARX_TOKEN_OF_MINE}"\n`,
    "job.yaml:9:8: the variable SEARX_TOKEN_OF_MINE is not set | Set it before you deploy: export SEARX_TOKEN_OF_MINE=…",
  ],
  [
    "braces hold one name",
    `${AGENTS}${DYNAMIC}environment: { KEY: "\${A:-b}" }\n`,
    "job.yaml:8:21: ${A:-b} is not a variable | Write one name between the braces, such as ${API_KEY}.",
  ],
  [
    "variables do not reach config",
    'name: x\nagents:\n  - id: searcher\n    config: { search: { key: "${HOME}" } }\ntopology: { type: dynamic }\n',
    "job.yaml:4:30: ${…} is not read under config, which is stored in plain text | Put it under env.",
  ],
  [
    "a variable cannot take one of Troupe's names",
    `${AGENTS}${DYNAMIC}environment: { AGENT: x }\n`,
    "job.yaml:8:16: the name AGENT is reserved for Troupe | Choose another name.",
  ],
  [
    "the name of a part of an agent's config",
    `${AGENTS}${DYNAMIC}environment: { AGENT_1: x }\n`,
    "job.yaml:8:16: the name AGENT_1 is reserved for Troupe | Choose another name.",
  ],
  [
    "an address that push notifications may go to is an origin",
    `${AGENTS}${DYNAMIC}push: { allow: [hooks.example, "http://127.0.0.1:9000/hook", "ftp://127.0.0.1", "http://[::g]", "http://127.0.0.1:0"] }\n`,
    "job.yaml:8:17: push.allow[0]: an allowed address is a scheme and a host, perhaps with a port, e.g. http://127.0.0.1:9000",
    "job.yaml:8:32: push.allow[1]: an allowed address is a scheme and a host, perhaps with a port, e.g. http://127.0.0.1:9000",
    "job.yaml:8:62: push.allow[2]: an allowed address is a scheme and a host, perhaps with a port, e.g. http://127.0.0.1:9000",
    "job.yaml:8:81: push.allow[3]: an allowed address is a scheme and a host, perhaps with a port, e.g. http://127.0.0.1:9000",
    "job.yaml:8:97: push.allow[4]: an allowed address is a scheme and a host, perhaps with a port, e.g. http://127.0.0.1:9000",
  ],
  [
    "what push notifications may do is known by its name",
    `${AGENTS}${DYNAMIC}push: { alow: [] }\n`,
    'job.yaml:8:9: unknown field "alow" | Did you mean "allow"?',
  ],
  ...(
    [
      ["hub-spoke, hub: weather, spokes: [searcher, summarizer]", "7:35"],
      ["pipeline, stages: [searcher, weather, summarizer]", "7:48"],
      ["dag, connections: [{ from: searcher, to: weather }, { from: weather, to: summarizer }]", "7:79"],
      ["hierarchical, root: searcher, levels: [[weather], [summarizer]]", "7:59"],
      ["hierarchical, root: searcher, levels: [[weather], { weather: [summarizer] }]", "7:71"],
    ] as const
  ).map(([topology, place]): readonly [string, string, string] => [
    `an agent of others cannot ask: ${topology}`,
    `${REMOTES}topology: { type: ${topology} }\n`,
    `job.yaml:${place}: the agent "weather" is remote: it can be asked, and cannot ask others | Give this place to an agent of the job.`,
  ]),
  [
    "an agent of others takes no questions",
    `${REMOTES}topology: { type: mesh }\nexecution: { entry_point: weather }\n`,
    'job.yaml:8:27: the agent "weather" is remote: it can be asked, and cannot ask others | Give this place to an agent of the job.',
  ],
  [
    "a job has an agent of its own",
    'name: x\nagents: [{ id: weather, remote: "https://w.example" }]\ntopology: { type: mesh }\n',
    "job.yaml:2:9: all agents are remote, so none can take the questions | Add an own agent.",
  ],
  [
    "an agent of others has no field of an own one, and an own agent none of its",
    `name: x\nagents:\n  - { id: weather, remote: "https://w.example", model: { name: m }, port: 1, x-note: n }\n  - { id: searcher, auth: "\${HOME}" }\ntopology: { type: mesh }\n`,
    'job.yaml:3:49: "model" is not for the agent "weather", which is remote and runs elsewhere | A remote agent has id, remote and auth alone.',
    'job.yaml:3:69: "port" is not for the agent "weather", which is remote and runs elsewhere | A remote agent has id, remote and auth alone.',
    'job.yaml:4:21: "auth" is not for the agent "searcher", which runs here | It goes with remote alone.',
  ],
  ...[
    "http://w.example",
    "https://me:secret@w.example",
    "w.example",
    "ftp://w.example",
    "http://127.0.0.1.evil.example",
  ].map((address): readonly [string, string, string] => [
    `an agent of others cannot be at ${address}`,
    `name: x\nagents:\n  - { id: searcher }\n  - { id: weather, remote: "${address}" }\ntopology: { type: hub-spoke, hub: searcher, spokes: [weather] }\n`,
    "job.yaml:4:28: agents[1].remote: it must be an https address without a password; http is for this machine alone",
  ]),
  [
    "a token stands in no job file, and its variable is set",
    `name: x\nagents:\n  - { id: searcher }\n  - { id: a, remote: "https://w.example", auth: secret }\n  - { id: b, remote: "https://w.example", auth: "\${BRAVE_KY}" }\ntopology: { type: mesh }\n`,
    "job.yaml:4:49: agents[1].auth: it names the variable that holds the token, such as ${WEATHER_TOKEN}",
    'job.yaml:5:49: the variable BRAVE_KY is not set | Did you mean "BRAVE_KEY"?',
  ],
  [
    "no rule of the policy is about an agent of others",
    `${REMOTES}topology: { type: mesh }\nexecution: { entry_point: searcher }\napprovals: { policy: [{ tool: pay, agent: weather, decision: allow }] }\n`,
    'job.yaml:9:43: the agent "weather" is remote, so no rule of this job applies to it | Remove the rule.',
  ],
  [
    "sessions expire after a time above zero",
    `${AGENTS}${DYNAMIC}sessions: { expire: 0s }\n`,
    "job.yaml:8:21: sessions.expire: a duration must be 1ms or longer",
  ],
  [
    "what holds for sessions is known by its name",
    `${AGENTS}${DYNAMIC}sessions: { expires: 30d }\n`,
    'job.yaml:8:13: unknown field "expires" | Did you mean "expire"?',
  ],
  [
    "an id is lower case",
    "name: x\nagents: [{ id: Searcher }]\ntopology: { type: dynamic }\n",
    "job.yaml:2:16: agents[0].id: an agent's id is lower-case letters, digits and _, beginning with a letter",
  ],
  [
    "all mistakes are shown at once",
    `${AGENTS}topology: { type: hub-spoke, hub: coordinatr, spokes: [searcher, sumarizer] }\nisolaton: job\nmodel: { provider: x }\nenvironment: { A: "\${NOT_THERE}" }\n`,
    'job.yaml:6:35: there is no agent "coordinatr" | Did you mean "coordinator"?',
    'job.yaml:6:66: there is no agent "sumarizer" | Did you mean "summarizer"?',
    'job.yaml:7:1: unknown field "isolaton" | Did you mean "isolation"?',
    'job.yaml:8:20: model.provider cannot be "x" | There is: auto, anthropic, offline.',
    "job.yaml:9:19: the variable NOT_THERE is not set | Set it before you deploy: export NOT_THERE=…",
  ],
];

describe("mistakes", () => {
  test.each(TABLE)("%s", (_, text, ...mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes);
  });

  test("aliases that multiply are refused before they fill the memory", () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const before = level === 0 ? "lol" : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 9 }, () => before).join(", ")}]`;
    });
    expect(mistakesOf(levels.join("\n"))).toEqual([
      "job.yaml:2:10: aliases (*name) make the job too large | Write the repeated parts out.",
    ]);
  });

  test("twenty thousand nested lists are a mistake, not a crash", () => {
    expect(mistakesOf("- ".repeat(20_000)).join()).toContain("the file is nested too deeply");
  });
});
