// `fetch` for streams that are never silent for long: silence means that the network is cut, which no connection tells by itself.
import { IdleWatch } from "../resilience/idle-watch.ts";

export interface HeardFetch {
  readonly fetch: typeof fetch;
  /** Whether the last request ended because nothing came. */
  readonly wasSilent: () => boolean;
}

/** A response, and each part of its body, has to come within `limitMs` of what came before. Otherwise IdleWatch aborts the request. */
export function heardFetch(fetchImpl: typeof fetch, limitMs: number): HeardFetch {
  let last: IdleWatch | undefined;
  const heard: typeof fetch = async (input, init = {}) => {
    const silence = new AbortController();
    const watch = new IdleWatch(limitMs, () => silence.abort(new Error(`nothing was heard for ${limitMs / 1000} s`)));
    last = watch;
    watch.heard();
    const signal = init.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
    signal.addEventListener("abort", () => watch.stop(), { once: true });
    try {
      const response = await fetchImpl(input, { ...init, signal });
      if (!response.body) {
        watch.stop();
        return response;
      }
      watch.heard();
      const watched = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          watch.heard();
          controller.enqueue(chunk);
        },
        flush: () => watch.stop(),
      });
      return new Response(response.body.pipeThrough(watched), response);
    } catch (error) {
      watch.stop();
      throw error;
    }
  };
  return { fetch: heard, wasSilent: () => last?.stalled === true };
}
