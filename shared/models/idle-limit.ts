// A stream that says nothing for too long is dead: neither the API client nor the platform ends it.
import { ModelError } from "./model.ts";

/** Passes `source` on; throws ModelError `stalled` when the next item takes longer than `limitMs`, after calling `onStall`. */
export async function* withIdleLimit<Item>(
  source: AsyncIterable<Item>,
  limitMs: number,
  onStall: () => void,
): AsyncGenerator<Item, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        onStall();
        reject(new ModelError("stalled", `The model sent nothing for ${limitMs / 1000} s; the call was given up.`));
      }, limitMs);
    });
    try {
      const next = await Promise.race([iterator.next(), silence]);
      if (next.done) return;
      yield next.value;
    } finally {
      clearTimeout(timer);
    }
  }
}
