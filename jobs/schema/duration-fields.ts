// Schemas of durations in a job file.
import * as z from "zod";

import { checkedDurationMs, DURATION_PATTERN } from "#shared/text/duration.ts";

const ZERO = "a duration must be 1ms or longer";
/** Longest time of a timer. */
const LONGEST_MS = 24 * 86_400_000;

const written = z
  .string()
  .regex(DURATION_PATTERN, {
    error: "a duration is a number and a unit, such as 500ms, 90s, 5m or 2h",
    abort: true,
  })
  .describe("A number and a unit: ms, s, m, h or d");

/** Above zero, without an upper limit. */
export const anyLength = written.refine((text) => checkedDurationMs(text) > 0, ZERO);

/** For a timer; zero is allowed. */
export const pause = written.refine((text) => checkedDurationMs(text) <= LONGEST_MS, "a duration may be 24d at most");

/** For a timer; above zero. */
export const duration = pause.refine((text) => checkedDurationMs(text) > 0, ZERO);
