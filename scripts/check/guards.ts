// All guards of `npm run check`, the slow ones first.
import { deadCode } from "./dead-code.ts";
import { directions } from "./directions.ts";
import { format } from "./format.ts";
import { generated } from "./generated.ts";
import type { Guard } from "./guard.ts";
import { lint } from "./lint.ts";
import { projectRules } from "./project-rules.ts";
import { nodeTypes, workerTypes } from "./types.ts";

export const guards: readonly Guard[] = [
  lint,
  workerTypes,
  nodeTypes,
  directions,
  deadCode,
  format,
  generated,
  projectRules,
];
