// Finds every place where a topology names an agent, so that a mistake can be shown there.
import type { Topology } from "../schema/schema.ts";
import type { Path } from "../file/source.ts";

export interface Reference {
  readonly id: string;
  readonly path: Path;
  /** The name stands as a key, not as a value. */
  readonly at?: "key";
  /** The agent has a place in this topology already, and may have only one. */
  readonly repeated?: true;
}

/** References in the order of the file. A mesh without `agents` and a dynamic topology have none. */
export function agentReferences(topology: Topology): Reference[] {
  switch (topology.type) {
    case "hub-spoke":
      return markRepeated([
        { id: topology.hub, path: ["topology", "hub"] },
        ...list(topology.spokes, ["topology", "spokes"]),
      ]);
    case "pipeline":
      return markRepeated(
        topology.stages.flatMap((stage, index): Reference[] => {
          const path = ["topology", "stages", index];
          return typeof stage === "string" ? [{ id: stage, path }] : list(stage, path);
        }),
      );
    case "dag":
      return topology.connections.flatMap(({ from, to }, index) => [
        { id: from, path: ["topology", "connections", index, "from"] },
        { id: to, path: ["topology", "connections", index, "to"] },
      ]);
    case "mesh":
      return markRepeated(list(topology.agents ?? [], ["topology", "agents"]));
    case "hierarchical":
      return hierarchy(topology.root, topology.levels);
    case "dynamic":
      return [];
  }
}

function hierarchy(root: string, levels: Extract<Topology, { type: "hierarchical" }>["levels"]): Reference[] {
  const parents: Reference[] = [];
  const members: Reference[] = [{ id: root, path: ["topology", "root"] }];
  for (const [index, level] of levels.entries()) {
    const path = ["topology", "levels", index];
    if (Array.isArray(level)) {
      members.push(...list(level, path));
      continue;
    }
    for (const [parent, children] of Object.entries(level)) {
      parents.push({ id: parent, path: [...path, parent], at: "key" });
      members.push(...list(children, [...path, parent]));
    }
  }
  return [...parents, ...markRepeated(members)];
}

function list(ids: readonly string[], path: Path): Reference[] {
  return ids.map((id, index) => ({ id, path: [...path, index] }));
}

function markRepeated(references: readonly Reference[]): Reference[] {
  const seen = new Set<string>();
  return references.map((reference) => {
    const repeated = seen.has(reference.id);
    seen.add(reference.id);
    return repeated ? { ...reference, repeated } : reference;
  });
}
