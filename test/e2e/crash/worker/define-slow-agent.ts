// Stands in for define-agent.ts when the crash harness bundles the agents: each of their own tools first tells a recorder outside
// that it runs, under its idempotency key, and only then does its work. The recorder answers slowly, so tools are slow.
import * as z from "zod";
import { defineAgent as defineRealAgent } from "../../../../shared/agent/define-agent.ts";
import type { AgentDefinition } from "../../../../shared/agent/definition.ts";
import type { Tool } from "#shared/loop/tools/tool.ts";

/** Tools that are taken for ones that may not run twice. */
const ONLY_ONCE: ReadonlySet<string> = new Set(["verify_claim", "extract_key_points"]);

const Config = z.looseObject({ recorder: z.url() });

/** The binding over which private addresses are reached. */
const Recorder = z.custom<Fetcher>((value) => typeof value === "object" && value !== null);

export function defineAgent(definition: AgentDefinition) {
  const { tools } = definition;
  return defineRealAgent({
    ...definition,
    config: Config,
    tools: (config) => (typeof tools === "function" ? tools(config) : tools).map(recorded),
  });
}

function recorded(tool: Tool): Tool {
  return {
    ...tool,
    annotations: { readOnly: false, idempotent: !ONLY_ONCE.has(tool.name) },
    async run(input, call) {
      const { idempotencyKey: key, id: toolUseId, agent, taskId, signal } = call;
      const { recorder } = Config.parse(call.config);
      const body = JSON.stringify({ key, agent, tool: tool.name, taskId, toolUseId, input });
      const response = await Recorder.parse(call.env["RECORDER"]).fetch(recorder, { method: "POST", body, signal });
      if (!response.ok) throw new Error(`The recorder answered ${response.status}.`);
      await response.text();
      return tool.run(input, call);
    },
  };
}
