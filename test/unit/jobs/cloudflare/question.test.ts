// How many turns one question sets off, by the topology.
import { describe, expect, test } from "vitest";

import { questionOf } from "#jobs/plan/cloudflare/question.ts";

import { hubOf, plannedAgents } from "./planned.ts";

function turns(agents: number, topology: string): number {
  return questionOf(plannedAgents(agents, topology)).turns;
}

describe("one question", () => {
  test.each([
    ["a hub asks each spoke", 5, hubOf(5), 5],
    ["a pipeline passes it on", 3, "{ type: pipeline, stages: [agent_1, agent_2, agent_3] }", 3],
    [
      "each agent of a stage asks each of the next: 1 + 2 + 2 * 2",
      5,
      "{ type: pipeline, stages: [agent_1, [agent_2, agent_3], [agent_4, agent_5]] }",
      7,
    ],
    [
      "an agent that two others ask has two turns",
      4,
      "{ type: dag, connections: [{ from: agent_1, to: agent_2 }, { from: agent_1, to: agent_3 }, { from: agent_2, to: agent_4 }, { from: agent_3, to: agent_4 }] }",
      5,
    ],
    [
      "in a hierarchy each parent asks its children",
      5,
      "{ type: hierarchical, root: agent_1, levels: [[agent_2, agent_3], { agent_2: [agent_4], agent_3: [agent_5] }] }",
      5,
    ],
    ["in a mesh each agent has one turn", 6, "{ type: mesh }", 6],
    ["where agents find each other, each has one turn", 4, "{ type: dynamic }", 4],
  ])("%s", (_, agents, topology, expected) => {
    expect(turns(agents, topology)).toBe(expected);
  });

  test("counts every turn of a wide and deep pipeline without walking each way", () => {
    const stages = Array.from({ length: 20 }, (_, at) => `[agent_${2 * at + 2}, agent_${2 * at + 3}]`);
    // 1 + 2 + 4 + … + 2^20
    expect(turns(41, `{ type: pipeline, stages: [agent_1, ${stages.join(", ")}] }`)).toBe(2 ** 21 - 1);
  });
});
