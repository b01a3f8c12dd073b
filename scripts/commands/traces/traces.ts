// troupe traces: the group of commands on traces.
import type { CommandGroup } from "../../terminal/command.ts";

export default {
  name: "traces",
  summary: "Show what happened in a query: every span of every agent",
  commands: {
    list: () => import("./list.ts"),
    show: () => import("./show.ts"),
    export: () => import("./export.ts"),
    diff: () => import("./diff.ts"),
    prune: () => import("./prune.ts"),
  },
} satisfies CommandGroup;
