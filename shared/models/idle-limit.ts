// A stream that says nothing for too long is dead: neither the API client nor the platform ends it.
import { ModelError } from "./model.ts";

/**
 * Passes `source` on. After `limitMs` to 1.5 × `limitMs` of silence it calls `abort`, which must make `source` end or throw,
 * and throws ModelError `stalled`. One timer a stream: a timer for each event costs more than the event.
 */
export async function* withIdleLimit<Item>(
  source: AsyncIterable<Item>,
  limitMs: number,
  abort: () => void,
): AsyncGenerator<Item, void, undefined> {
  let lastHeard = Date.now();
  let stalled = false;
  const timer = setInterval(() => {
    if (Date.now() - lastHeard < limitMs) return;
    stalled = true;
    abort();
  }, limitMs / 2);
  try {
    for await (const item of source) {
      lastHeard = Date.now();
      yield item;
    }
  } catch (error) {
    if (!stalled) throw error;
  } finally {
    clearInterval(timer);
  }
  if (stalled) throw new ModelError("stalled", `The model sent nothing for ${limitMs / 1000} s; the call was given up.`);
}
