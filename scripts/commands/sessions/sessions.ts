// troupe sessions: the group of commands on conversations.
import type { CommandGroup } from "../../terminal/command.ts";

export default {
  name: "sessions",
  summary: "List, show, fork, export and delete conversations",
  commands: {
    list: () => import("./list.ts"),
    show: () => import("./show.ts"),
    fork: () => import("./fork.ts"),
    export: () => import("./export.ts"),
    delete: () => import("./delete.ts"),
    clear: () => import("./clear.ts"),
  },
} satisfies CommandGroup;
