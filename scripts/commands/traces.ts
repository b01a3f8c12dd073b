// troupe traces: what happened in each query, deployment and life of an agent.
import type { CommandGroup } from "../command.ts";

export default {
  name: "traces",
  summary: "Show what happened in a query: every span of every agent",
  commands: {
    list: () => import("./traces/list.ts"),
    show: () => import("./traces/show.ts"),
    export: () => import("./traces/export.ts"),
    diff: () => import("./traces/diff.ts"),
    prune: () => import("./traces/prune.ts"),
  },
} satisfies CommandGroup;
