// Runs the hooks of one event. All that match run side by side, each on a copy of the input. Their outputs are merged in the order in
// which the hooks are listed. Where a hook fails, its `onFailure` decides.
import { Stopwatch } from "../../resilience/stopwatch.ts";
import { reasonOf } from "../../text/reason.ts";
import { untilAborted } from "../../resilience/until-aborted.ts";
import type { HookEvent, InputOf } from "./input.ts";
import { matches, type HookCallback, type HookCallbackMatcher, type Hooks } from "./matcher.ts";
import { mergeOutputs, type HookFailure, type HookOutcome } from "./outcome.ts";
import { readOutput, type HookJSONOutput, refusalIn } from "./output.ts";

const TIMEOUT_S = 60;

/** A hook that failed. `blocks`: its `onFailure` blocks the action. */
export interface HookFailureNotice {
  readonly event: HookEvent;
  readonly reason: string;
  readonly blocks: boolean;
}

/**
 * `toolUseId` is needed only for PermissionRequest, whose input has none. `onFailure` gets each hook that failed, and what it threw.
 * Rejects only with the signal's reason, and then does not wait for the hooks.
 */
export async function runHooks<Event extends HookEvent>(
  hooks: Hooks,
  input: InputOf<Event> & { readonly hook_event_name: Event },
  signal: AbortSignal,
  toolUseId?: string,
  onFailure?: (notice: HookFailureNotice, thrown: unknown) => void,
): Promise<HookOutcome> {
  signal.throwIfAborted();
  const event: Event = input.hook_event_name;
  const id = toolUseId ?? ("tool_use_id" in input ? input.tool_use_id : undefined);
  const listed: readonly HookCallbackMatcher<Event>[] = hooks[event] ?? [];
  const running = listed
    .filter(({ matcher }) => matches(matcher, input))
    .flatMap((matcher) =>
      matcher.hooks.map(async (hook): Promise<readonly (HookJSONOutput | HookFailure | undefined)[]> => {
        let returned: unknown;
        try {
          returned = await withTimeout(hook, input, id, matcher.timeout ?? TIMEOUT_S, signal);
          return [readOutput(event, returned)];
        } catch (error) {
          signal.throwIfAborted();
          const blocks = matcher.onFailure === "block" && event !== "Stop" && event !== "SubagentStop";
          const name = matcher.matcher === undefined ? "" : ` (matcher ${JSON.stringify(matcher.matcher)})`;
          const reason = `A ${event} hook${name} failed: ${reasonOf(error)}`;
          onFailure?.({ event, reason, blocks }, error);
          // A denial that can be read counts, whatever else is malformed.
          const refusal = refusalIn(event, returned);
          return blocks ? [{ failure: `${reason}. Its onFailure is "block".` }, refusal] : [refusal];
        }
      }),
    );
  const heard = await Promise.all(running);
  return mergeOutputs(
    event,
    heard.flat().filter((each) => each !== undefined),
  );
}

async function withTimeout<Event extends HookEvent>(
  hook: HookCallback<Event>,
  input: InputOf<Event>,
  toolUseId: string | undefined,
  limitS: number,
  signal: AbortSignal,
): Promise<unknown> {
  const limit = new AbortController();
  const stop = () => limit.abort(new Error(`it took longer than ${limitS} s`));
  const time = Stopwatch.start(limitS * 1000, stop);
  try {
    const both = AbortSignal.any([signal, limit.signal]);
    return await untilAborted(Promise.resolve(hook(structuredClone(input), toolUseId, { signal: both })), both);
  } finally {
    time.stop();
  }
}
