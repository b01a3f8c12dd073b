// A job of two agents on two hosts: the asker asks the helper whatever it is asked. A test says what the helper's model says, and when.
import { MessagesApi, lastResults, type ModelCall, saidLast } from "../support/messages-api.ts";
import { eventually, type Running } from "../support/deployment.ts";
import { type HostNetwork, startHostNetwork } from "../support/network/host-network.ts";

export const JOB = "asking";

/** `heartbeat`: a time of the job file. */
const jobFile = (heartbeat: string) => `name: ${JOB}
agents:
  - id: asker
    worker: coordinator
    model: { name: asker }
  - id: helper
    worker: coordinator
    model: { name: helper }
topology: { type: hub-spoke, hub: asker, spokes: [helper] }
model: { provider: anthropic }
heartbeat: { interval: ${heartbeat} }
`;

export interface AskingJob extends AsyncDisposable {
  readonly all: HostNetwork;
  readonly api: MessagesApi;
  /** The helper's model calls. */
  readonly helped: readonly ModelCall[];
  /** Asks, and resolves when the helper's model has been asked, which answers as soon as `answer` is called. */
  ask(): Promise<{ readonly asked: Running; answer(text: string): void }>;
}

export async function deployAskingJob({ heartbeat = "500ms" } = {}): Promise<AskingJob> {
  let api: MessagesApi | undefined;
  const all = await startHostNetwork(2, {
    environment: async (own) => {
      api = await MessagesApi.start(own);
      return api.environment;
    },
  });
  if (api === undefined) throw new Error("There is no model");
  const started = api;
  const file = await all.deployment.write(`${JOB}.yaml`, jobFile(heartbeat));
  await all.deployment.succeed("deploy", file, "--hosts", await all.hostFile());
  started.script("asker", function* (call) {
    const said = saidLast(call);
    if (said === "") yield { text: `I was told: ${lastResults(call)[0]?.text ?? ""}` };
    else yield { tool: "query_agent", input: { agent: "helper", message: said } };
  });
  let answers = Promise.withResolvers<string>();
  const helped = started.script("helper", async function* () {
    yield { text: await answers.promise };
  });
  return {
    all,
    api: started,
    helped,
    async ask() {
      const before = helped.length;
      answers = Promise.withResolvers<string>();
      const asked = all.deployment.start("query", JOB, "How long do marmots sleep?", "--json");
      await eventually(async () => (helped.length > before ? true : undefined), LIMIT_MS, "the helper is at work");
      return { asked, answer: answers.resolve };
    },
    async [Symbol.asyncDispose]() {
      await all[Symbol.asyncDispose]();
      await started.close();
    },
  };
}

const LIMIT_MS = 60_000;
