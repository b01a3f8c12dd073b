// Inspects an agent's definition for one job: finds all flaws at once, and the tools that the agent has there.
import * as z from "zod";
import { hookFlaws } from "../../loop/hooks/matcher.ts";
import { outputShape } from "../../loop/ending/output-shape.ts";
import type { Tool } from "../../loop/tools/tool.ts";
import { toolsOfEveryAgent } from "../../tools/of-every-agent.ts";
import { reasonOf, stackOf } from "../../text/reason.ts";
import { CARD_FIELDS, MAX_SKILLS, SKILL_FIELDS } from "../../a2a/card-fields.ts";
import { AgentConfig } from "../config.ts";
import { type AgentDefinition, parsedConfig } from "../definition.ts";
import { unmatchedHooks } from "./hook-flaws.ts";
import { flaw, type AgentReport, type ConfigFlaw, type Flaw, type InspectedTool, thrownFlaw } from "./report.ts";
import { shapeFlaws } from "./shape-flaws.ts";
import { doubledNames, nameFlaws, toolFlaws } from "./tool-flaws.ts";

const callable = z.custom<unknown>((value) => typeof value === "function", "it has to be a function");
const schema = z.custom<unknown>((value) => value instanceof z.ZodType, "it has to be a zod schema");

const DefinitionShape = z.strictObject({
  ...CARD_FIELDS,
  version: CARD_FIELDS.version.optional(),
  instructions: z.string().optional(),
  run: callable.optional(),
  inputModes: z.array(z.string()).optional(),
  outputModes: z.array(z.string()).optional(),
  skills: z.array(z.strictObject(SKILL_FIELDS)).max(MAX_SKILLS),
  config: schema.optional(),
  tools: z.union([z.array(z.unknown()), callable]),
  serverTools: callable.optional(),
  hooks: z.record(z.string(), z.unknown()).optional(),
  canUseTool: callable.optional(),
  outputSchema: schema.optional(),
  routes: callable.optional(),
});

const ServerTool = z.looseObject({ type: z.string(), name: z.string() });

/** `given` is the AgentConfig of the job. Never rejects for flaws of the definition. */
export async function inspectAgent(definition: AgentDefinition, given: unknown): Promise<AgentReport> {
  const config = AgentConfig.parse(given);
  const shape = await shapeFlaws(DefinitionShape, definition, "the agent");
  const configFlaws = await flawsOfConfig(definition, config);
  const flaws: Flaw[] = [
    ...shape.map(({ path, at, message, hint }) => flaw(message, hint, at === "key" ? String(path.at(-1)) : null)),
    ...answeringFlaws(definition),
    ...doubledSkills(definition),
    ...hookFlaws(definition.hooks ?? {}).map(({ message, quote }) => flaw(message, "", quote)),
    ...outputFlaws(definition),
  ];
  const tools = toolsOf(definition, config);
  if ("thrown" in tools) {
    // Settings that do not fit are the likely reason, and are reported already.
    if (configFlaws.length === 0) {
      const message = `its tools cannot be chosen: ${reasonOf(tools.thrown)}`;
      flaws.push(thrownFlaw(message, stackOf(tools.thrown)));
    }
  } else {
    for (const [index, tool] of tools.own.entries()) {
      const earlier = tools.own.slice(0, index).filter((other) => other?.name === tool?.name);
      flaws.push(...(await toolFlaws(tool, earlier.length + 1)));
    }
    const [served, run] = [true, false].map((server) => tools.all.filter((tool) => tool.server === server));
    flaws.push(...namesOf(served).flatMap((name) => nameFlaws(name)), ...doubledNames(namesOf(tools.all)));
    flaws.push(...unmatchedHooks(definition, config, namesOf(run)));
  }
  return {
    flaws,
    config: configFlaws,
    tools: "all" in tools ? tools.all : null,
    hooksMayAsk: (definition.hooks?.PreToolUse ?? []).length > 0,
    hasCanUseTool: definition.canUseTool !== undefined,
  };
}

/** An agent answers with a model or with its own code. */
function answeringFlaws({ instructions, run, outputSchema, serverTools }: AgentDefinition): Flaw[] {
  if (instructions === undefined && run === undefined)
    return [
      flaw(
        'the agent lacks the field "instructions"',
        "Write the system prompt there, or answer with your own code: run.",
        null,
      ),
    ];
  if (run === undefined) return [];
  const unused = Object.entries({ instructions, outputSchema, serverTools }).filter(([, value]) => value !== undefined);
  return unused.map(([name]) =>
    flaw(`an agent with run asks no model, so it has no ${name}`, "Take it out, or take out run.", name),
  );
}

function namesOf(tools: readonly InspectedTool[] = []): string[] {
  return tools.map(({ name }) => name);
}

async function flawsOfConfig({ config: wanted }: AgentDefinition, { config }: AgentConfig): Promise<ConfigFlaw[]> {
  if (!(wanted instanceof z.ZodType)) return [];
  const flaws = await shapeFlaws(wanted, config, "config");
  if (flaws.length > 0) return flaws;
  try {
    parsedConfig({ config: wanted }, { config });
    return [];
  } catch (error) {
    // The schema answers asynchronously, or makes no object: an agent could not start with it.
    return [{ path: [], at: "value", message: `config cannot be used: ${reasonOf(error)}`, hint: "" }];
  }
}

const Skills = z.array(z.looseObject({ id: z.string() }));

function doubledSkills({ skills }: AgentDefinition): Flaw[] {
  const ids = (Skills.safeParse(skills).data ?? []).map(({ id }) => id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))].map((id) =>
    flaw(`two skills have the id "${id}"`, "Give each an id of its own.", id, 2),
  );
}

function outputFlaws({ outputSchema }: AgentDefinition): Flaw[] {
  if (!(outputSchema instanceof z.ZodType)) return [];
  try {
    outputShape(outputSchema);
    return [];
  } catch (error) {
    return [flaw(`the outputSchema cannot be used: ${reasonOf(error)}`, "", "outputSchema")];
  }
}

/** The tools in this job, or the error of the function that chooses them. */
function toolsOf(definition: AgentDefinition, config: AgentConfig) {
  try {
    const chosen = () => ({ ...config, config: parsedConfig(definition, config) });
    const own = typeof definition.tools === "function" ? definition.tools(chosen()) : definition.tools;
    const served = z.array(ServerTool).parse(definition.serverTools?.(chosen()) ?? []);
    const neighbours =
      config.topology === "static" ? config.peers.map(({ id }) => ({ id, description: "", skills: [] })) : undefined;
    const usable = own.filter((tool) => typeof tool === "object" && tool !== null && typeof tool.name === "string");
    const all: InspectedTool[] = [
      ...[...usable, ...toolsOfEveryAgent(neighbours)].map(inspected),
      ...served.map(({ name }) => ({ name, annotations: NOTHING_SAID, fields: null, server: true })),
    ];
    return { own, all };
  } catch (error) {
    return { thrown: error };
  }
}

/** False for a malformed value, which is a flaw of its own. */
const Annotations = z
  .object({
    readOnly: z.boolean().catch(false),
    idempotent: z.boolean().catch(false),
    communication: z.literal(true).optional().catch(undefined),
  })
  .catch({ readOnly: false, idempotent: false });
const NOTHING_SAID = { readOnly: false, idempotent: false };

function inspected({ name, annotations, inputSchema }: Tool): InspectedTool {
  return {
    name,
    annotations: Annotations.parse(annotations),
    fields: fieldsOf(inputSchema),
    server: false,
  };
}

const Field = z.looseObject({ type: z.unknown(), enum: z.array(z.unknown()).optional(), const: z.unknown() });

const Input = z.looseObject({ properties: z.record(z.string(), Field).optional(), additionalProperties: z.unknown() });

function fieldsOf(input: unknown): InspectedTool["fields"] {
  const { properties, additionalProperties: rest } = Input.safeParse(input).data ?? {};
  if (properties === undefined || (rest !== undefined && rest !== false)) return null;
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, textsOf(field)]));
}

/** The allowed texts of a field; true where any text is allowed, false where none is. */
function textsOf({ type, enum: values, const: only }: z.infer<typeof Field>): boolean | string[] {
  if (type === "object" || type === "array") return false;
  if (type === "boolean") return ["true", "false"];
  return (values ?? (only === undefined ? undefined : [only]))?.map(String) ?? true;
}
