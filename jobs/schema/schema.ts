// The zod schemas of a job file. The JSON Schema for editors is generated from them (npm run generate:schema). check.ts
// checks what a schema cannot express: names that must exist, cycles, ports.
import * as z from "zod";
import { CARD_FIELDS } from "#shared/a2a/card-fields.ts";
import { MAX_USD } from "#shared/budget/price.ts";
import { anyLength, duration, pause } from "./duration-fields.ts";
import { isRemoteAddress } from "./remote.ts";

const AGENT_ID_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;
const JOB_NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;
const ID_RULE = "an agent's id is lower-case letters, digits and _, beginning with a letter";
const NAME_RULE = "a job's name is lower-case letters, digits and -, at most 63";
/** Hint for a value that does not match a pattern, by the pattern's source. */
export const RULES: ReadonlyMap<string, string> = new Map([
  [AGENT_ID_PATTERN.source, `Choose another: ${ID_RULE}.`],
  [JOB_NAME_PATTERN.source, `Choose another: ${NAME_RULE}.`],
]);
/** A larger mesh has over a million edges. */
const MAX_AGENTS = 1000;
const VARIABLE_NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A reference to an agent. check.ts checks that it exists, and suggests the nearest name. */
const agentId = z.string().describe("Id of an agent of this job");

const variables = z
  .record(z.string().regex(VARIABLE_NAME_PATTERN, "a variable's name is letters, digits and _"), z.string())
  .describe("Name → value. ${VAR} takes the value of VAR when the job is deployed; such values are kept as secrets");

const OfflineModel = z
  .strictObject({
    ttft: pause.optional().describe("Time to the first token (default 20ms)"),
    tokens_per_second: z.number().nonnegative().optional().describe("Pace of the text; 0 is as fast as it goes"),
    fault: z
      .enum(["401", "403", "429", "500", "529", "cut", "stall", "malformed", "error_event", "garbage_tool_input"])
      .optional()
      .describe("Makes every answer fail in this way, to test how agents handle it"),
  })
  .describe("How the offline model behaves");

const dollars = z.number().nonnegative();

const Price = z
  .strictObject({
    input: dollars.describe("Input tokens that are not cached"),
    output: dollars.describe("Output tokens"),
    cache_read: dollars.optional().describe("Input tokens read from the cache (default: as input)"),
    cache_write: dollars.optional().describe("Input tokens written to the cache (default: 1.25 times input)"),
    web_search: z
      .number()
      .nonnegative()
      .max(100)
      .optional()
      .describe("A thousand searches that Claude makes by itself, in US dollars (default 10)"),
  })
  .describe("US dollars per million tokens, where Troupe does not know them or they differ");

const Model = z
  .strictObject({
    provider: z
      .enum(["auto", "anthropic", "offline"])
      .optional()
      .describe("auto (the default): anthropic when ANTHROPIC_API_KEY is set, else offline"),
    name: z.string().min(1).optional().describe("The model's name; for anthropic the default is claude-sonnet-5-5"),
    max_tokens: z.int().positive().optional().describe("Upper bound of one answer (default 8192)"),
    price: Price.optional(),
    context_tokens: z
      .int()
      .positive()
      .optional()
      .describe("Size of the model's context in tokens; near this limit a conversation is compacted (default 200000)"),
    offline: OfflineModel.optional(),
  })
  .describe("Which model answers");

const toolRule = z
  .string()
  .regex(/^(?:[^*]+\*?|\*)$/, "a rule is a tool's name; * may stand at its end, for any rest")
  .describe("Tool name; * at its end stands for any rest");

const Permissions = z
  .strictObject({
    preset: z
      .enum(["full_access", "read_only", "communication_only", "custom"])
      .optional()
      .describe(
        "Tools that exist and run unasked. full_access (the default): all. read_only: those that change nothing. communication_only: those for asking other agents. custom (the default with allow): all exist, those under allow run unasked",
      ),
    mode: z
      .enum(["default", "dontAsk", "bypassPermissions", "plan"])
      .default("default")
      .describe(
        "For a tool that no rule names. default: a person is asked. dontAsk: it is denied, as is every tool that a person would be asked about. bypassPermissions: it runs. plan: a tool that may change something is denied",
      ),
    allow: z.array(toolRule).optional().describe("Tools that run unasked, in addition to those of the preset"),
    ask: z.array(toolRule).default([]).describe("Tools that a person is asked about each time; wins over allow"),
    deny: z.array(toolRule).default([]).describe("Tools that are removed; wins over all other rules"),
  })
  .describe("Which tools may run");

const limits = {
  max_tokens: z.int().positive().optional().describe("Input and output tokens together, cached ones included"),
  max_usd: z.number().positive().max(MAX_USD).optional().describe("US dollars; needs the price of the model"),
  max_tool_calls: z.int().nonnegative().optional().describe("Tool calls"),
};

const Budget = z
  .strictObject({
    max_turns: z.int().positive().default(20).describe("Model calls for one message"),
    max_wall_time: duration.default("5m").describe("Time for one message; waiting for an approval does not count"),
    ...limits,
  })
  .describe("Limits for one message to this agent, without the agents that it asks");

const QueryBudget = z
  .strictObject({
    max_turns: z.int().positive().optional().describe("Model calls of all agents together"),
    max_wall_time: duration.optional().describe("Time from the question to its answer, waiting for approvals aside"),
    ...limits,
  })
  .describe("Limits for one query over all agents: one account, which they cannot exceed together");

/** Numbers and booleans are compared by their text. */
const fieldText = z.union([z.string(), z.number(), z.boolean()]);

const Approvals = z
  .strictObject({
    expires: anyLength.default("1h").describe("An approval that is not answered within this time is denied"),
    policy: z
      .array(
        z.strictObject({
          tool: toolRule,
          agent: agentId.optional().describe("Only this agent's tool"),
          input: z
            .record(z.string(), z.union([fieldText, z.array(fieldText).min(1)]))
            .optional()
            .describe("Field of the input → its text, with * for any part; a list holds alternatives"),
          decision: z.enum(["allow", "deny"]),
        }),
      )
      .default([])
      .describe("Answers given without asking a person; the first rule that fits applies"),
  })
  .describe("How calls are approved that the permissions ask about");

const Push = z
  .strictObject({
    allow: z
      .array(
        z
          .string()
          .refine(
            (text) => isOrigin(text) && !text.endsWith(":0"),
            "an allowed address is a scheme and a host, perhaps with a port, e.g. http://127.0.0.1:9000",
          ),
      )
      .default([])
      .describe("Private addresses that clients may have push notifications sent to; public ones need no entry"),
  })
  .describe("Where push notifications may go");

const Sessions = z
  .strictObject({
    expire: anyLength
      .optional()
      .describe("Each agent deletes its part of a session that has had no turn there for so long; none by default"),
  })
  .describe("How long sessions are kept");

export const RestartPolicy = z.enum(["on-failure", "never"]);
export type RestartPolicy = z.infer<typeof RestartPolicy>;

/** jobs/placement checks it: only the host file knows the groups. */
const target = z.string();
const TARGETS = "local, cloudflare, ssh://[user@]host[:port], or a group of the host file (--hosts)";

const port = z.int().min(0).max(65535);

const HOST = String.raw`(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]`;
const HOST_PATTERN = new RegExp(`^${HOST}$`);
const HOST_RULE = "it is a host's name alone, such as agents.example.com, in lower case";
/** The path has no wildcard but at its end: the agent's card names one address. */
const ROUTE_PATTERN = new RegExp(String.raw`^${HOST}(?:/[\w.~-]+)*/\*$`);

/** Whether a domain, a route or both in part are there is checked with the agent. */
const Address = z
  .strictObject({
    domain: z.string().regex(HOST_PATTERN, HOST_RULE).optional().describe("Host name that is this agent's alone"),
    route: z
      .string()
      .regex(ROUTE_PATTERN, "it is a host's name, perhaps a path, and /* at its end, such as example.com/agents/*")
      .optional()
      .describe("Part of a host that serves other things, too"),
    zone: z.string().regex(HOST_PATTERN, HOST_RULE).optional().describe("Zone of the route, such as example.com"),
  })
  .describe("A public address on Cloudflare beside that of workers.dev: a domain, or a route and its zone");

const Agent = z
  .strictObject({
    id: z.string().regex(AGENT_ID_PATTERN, ID_RULE).describe("Name of the agent within the job"),
    remote: z
      .string()
      .refine(isRemoteAddress, "it must be an https address without a password; http is for this machine alone")
      .optional()
      .describe(
        "Address of an A2A agent of others, or of its card: it runs elsewhere, and has no other field but auth",
      ),
    auth: z
      .string()
      .regex(/^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/, "it names the variable that holds the token, such as ${WEATHER_TOKEN}")
      .optional()
      .describe("Variable with the bearer token for the remote agent"),
    https: z
      .strictObject({
        url: z
          .string()
          .refine(isHttpsOrigin, "it is https:// and a host, with a port where it is not 443")
          .describe("Where people and programs reach the agent"),
        port: port
          .default(0)
          .describe("Where it listens, if not at the port of the url, such as behind a router; 0 is that of the url"),
        certificate: z.string().min(1).describe("PEM file, with its chain: a path from the job file"),
        key: z.string().min(1).describe("PEM file of its private key: a path from the job file"),
      })
      .optional()
      .describe(
        "An address of its own, over HTTPS with your certificate. Without it the agent is reached through the command line",
      ),
    cloudflare: Address.optional(),
    worker: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, "a worker is the name of a folder under workers/agents")
      .optional()
      .describe("Folder under workers/agents; by default the id with - for _"),
    name: CARD_FIELDS.name.optional().describe("Shown instead of the Worker's own name"),
    description: CARD_FIELDS.description.optional().describe("What this agent is for, in this job"),
    config: z.record(z.string(), z.unknown()).default({}).describe("The agent's own settings, given to its tools"),
    env: variables.default({}).describe("Variables of this agent, over those of the job"),
    model: Model.optional().describe("What differs from the job's model"),
    permissions: Permissions.prefault({}),
    budget: Budget.prefault({}),
    turns_at_once: z
      .int()
      .positive()
      .default(100)
      .describe("Turns that run at the same time; further messages wait in line, up to 1000"),
    target: target.optional().describe(`Where this agent runs, if not where the job does: ${TARGETS}`),
    port: port.default(0).describe("Port on 127.0.0.1; 0 is any free one, kept over restarts"),
  })
  .describe("One agent");

const stage = z
  .union([agentId, z.array(agentId).min(1)])
  .describe("One agent, or a list of agents that work side by side");

export const Topology = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("hub-spoke"),
      hub: agentId.describe("The agent that delegates"),
      spokes: z.array(agentId).min(1).describe("The agents it delegates to"),
    }),
    z.strictObject({
      type: z.literal("pipeline"),
      stages: z.array(stage).min(1).describe("Each stage delegates to the next"),
    }),
    z.strictObject({
      type: z.literal("dag"),
      connections: z
        .array(z.strictObject({ from: agentId, to: agentId }))
        .describe("Who delegates to whom, without cycles"),
    }),
    z.strictObject({
      type: z.literal("mesh"),
      agents: z.array(agentId).min(1).optional().describe("Each delegates to each other; all agents by default"),
    }),
    z.strictObject({
      type: z.literal("hierarchical"),
      root: agentId.describe("The agent at the top"),
      levels: z
        .array(
          z
            .union([z.array(agentId).min(1), z.record(z.string(), z.array(agentId).min(1))])
            .describe(
              "The agents of one level: a list (each one above delegates to each of them), or parent → its children",
            ),
        )
        .min(1)
        .describe("The levels below the root, from the top"),
    }),
    z.strictObject({ type: z.literal("dynamic") }),
  ])
  .describe("Which agents may delegate to which; dynamic: to any that the registry finds at run time");

const Deployment = z
  .strictObject({
    target: target.default("local").describe(`Where the job runs: ${TARGETS}`),
    strategy: z
      .enum(["sequential", "parallel", "staged"])
      .default("parallel")
      .describe("In which order agents must become healthy: one by one, all at once, or callees before callers"),
    timeout: duration.default("30s").describe("Time in which all agents must become healthy"),
    restart: RestartPolicy.default("on-failure").describe(
      "Whether a process that ends by itself is started again: on-failure, with growing pauses, or never",
    ),
    health_check: z
      .strictObject({
        interval: duration.default("50ms").describe("Pause between two requests to an agent that is not healthy yet"),
        timeout: duration.default("2s").describe("Time limit of one request"),
      })
      .prefault({}),
  })
  .describe("How the job is brought up");

function isHttpsOrigin(text: string): boolean {
  return isOrigin(text) && text.startsWith("https:");
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

export const Job = z
  .strictObject({
    name: z.string().regex(JOB_NAME_PATTERN, NAME_RULE).describe("Name of the job, by which every command knows it"),
    version: z.string().default("0.0.0").describe("Version of the job, in quotes"),
    description: z.string().default(""),
    tags: z.array(z.string()).default([]),
    agents: z.array(Agent).min(1).max(MAX_AGENTS).describe("The agents of the job"),
    topology: Topology,
    model: Model.default({}).describe("The model of all agents, unless an agent says otherwise"),
    isolation: z
      .enum(["job", "agent"])
      .default("job")
      .describe("job: all agents in one process. agent: a process each, so that one can die alone"),
    heartbeat: z
      .strictObject({
        interval: duration
          .optional()
          .describe(
            "Time between heartbeats; an agent's lease is three times this (default 5s; where an agent runs on Cloudflare 60s)",
          ),
      })
      .prefault({}),
    deployment: Deployment.prefault({}),
    control_plane: z
      .strictObject({
        target: target.optional().describe(`Where it runs, if not where the entry point does: ${TARGETS}`),
        port: port.default(0).describe("Its port on the loopback of its machine; 0 is any free one"),
      })
      .prefault({})
      .describe("The control plane: registry, traces, budgets and keys of the job"),
    budget: QueryBudget.optional(),
    approvals: Approvals.prefault({}),
    cors: z
      .array(
        z
          .string()
          .refine(isOrigin, "an origin is a scheme and a host, e.g. https://app.example or http://localhost:5173"),
      )
      .default([])
      .describe("Origins of web pages that may call the agents; none by default"),
    push: Push.prefault({}),
    sessions: Sessions.prefault({}),
    accounts: z
      .enum(["optional", "required"])
      .optional()
      .describe(
        "required: only whoever has a key may ask the agents (the default where others can reach them). optional: this machine needs none",
      ),
    cloudflare: z
      .strictObject({
        workers_dev: z
          .boolean()
          .default(true)
          .describe("Whether agents have an address below workers.dev; without it each has a domain"),
      })
      .prefault({})
      .describe("What holds for all agents on Cloudflare"),
    tracing: z.boolean().default(true).describe("Whether each query leaves a trace"),
    content: z
      .enum(["full", "redacted", "none"])
      .optional()
      .describe(
        "What traces hold of prompts, answers, tool inputs and results: all, all but secrets (the default where the job runs locally), or nothing",
      ),
    execution: z
      .strictObject({
        entry_point: agentId.optional().describe("The agent that takes the questions"),
      })
      .prefault({}),
    environment: variables.default({}).describe("Variables of all agents"),
  })
  .describe("A job of cooperating agents");

export type Job = z.infer<typeof Job>;
export type Agent = z.infer<typeof Agent>;
export type Model = z.infer<typeof Model>;
export type Topology = z.infer<typeof Topology>;

/** JSON Schema (draft 2020-12) of a job file, for editors. */
export function jobJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(Job, {
    io: "input",
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) jsonSchema.patternProperties = { "^x-": {} };
    },
  });
  return { ...schema, title: "Troupe job" };
}

/** The folder under workers/agents that an agent runs. */
export function workerOf(agent: Pick<Agent, "id" | "worker">): string {
  return agent.worker ?? agent.id.replaceAll("_", "-");
}
