// troupe keys: the group of commands on keys.
import type { CommandGroup } from "../../terminal/command.ts";

export default {
  name: "keys",
  summary: "Make, list and revoke the keys by which others use a job",
  commands: {
    create: () => import("./create.ts"),
    list: () => import("./list.ts"),
    revoke: () => import("./revoke.ts"),
  },
} satisfies CommandGroup;
