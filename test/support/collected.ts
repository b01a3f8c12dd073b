// What the collector of tests (test-collector.ts) and those who tell it how to answer have in common.
export interface CollectorAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Only requests with fewer bytes are answered with 200 instead. */
  readonly overBytes?: number;
  /** Only requests in which this is; others are answered with 200. */
  readonly containing?: string;
}

export interface Collected {
  readonly path: string;
  readonly headers: Record<string, string>;
  /** Base64. */
  readonly body: string;
  readonly status: number;
}
