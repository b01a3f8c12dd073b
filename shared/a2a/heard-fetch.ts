// `fetch` for streams that are never silent for long: silence means that the network is cut, which no connection tells by itself.

export interface HeardFetch {
  readonly fetch: typeof fetch;
  /** Whether the last request ended because nothing came. */
  readonly wasSilent: () => boolean;
}

/** A response, and each part of its body, has to come within `limitMs` of what came before. Otherwise the request is aborted. */
export function heardFetch(fetchImpl: typeof fetch, limitMs: number): HeardFetch {
  let last: AbortSignal | undefined;
  const heard: typeof fetch = async (input, init = {}) => {
    const silence = new AbortController();
    last = silence.signal;
    let timer: ReturnType<typeof setTimeout>;
    const stop = () => clearTimeout(timer);
    const wait = () => {
      stop();
      timer = setTimeout(() => silence.abort(new Error(`nothing was heard for ${limitMs / 1000} s`)), limitMs);
    };
    wait();
    const signal = init.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
    signal.addEventListener("abort", stop, { once: true });
    try {
      const response = await fetchImpl(input, { ...init, signal });
      if (!response.body) {
        stop();
        return response;
      }
      wait();
      const watched = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          wait();
          controller.enqueue(chunk);
        },
        flush: stop,
      });
      return new Response(response.body.pipeThrough(watched), response);
    } catch (error) {
      stop();
      throw error;
    }
  };
  return { fetch: heard, wasSilent: () => last?.aborted === true };
}
