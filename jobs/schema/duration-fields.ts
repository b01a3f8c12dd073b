// Durations in a job file.
import * as z from "zod";

import { checkedDurationMs, DURATION_PATTERN } from "#shared/text/duration.ts";

const ZERO = "a duration is more than nothing: 1ms or longer";
/** Timers wait no longer. */
const LONGEST_MS = 24 * 86_400_000;

const written = z
  .string()
  .regex(DURATION_PATTERN, {
    error: "a duration is a number and a unit, such as 500ms, 90s, 5m or 2h",
    abort: true,
  })
  .describe("A number and a unit: ms, s, m, h or d");

/** More than nothing. */
export const anyLength = written.refine((text) => checkedDurationMs(text) > 0, ZERO);

/** What may be nothing at all. */
export const pause = written.refine((text) => checkedDurationMs(text) <= LONGEST_MS, "a duration has 24d at most");

/** What a timer waits for. */
export const duration = pause.refine((text) => checkedDurationMs(text) > 0, ZERO);
