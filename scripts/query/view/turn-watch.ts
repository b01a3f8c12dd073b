// Watches the trace of a question while it is answered: live rows of what the agents do, and afterwards what it came to. A question
// is answered as well where its trace cannot be read.
import { setTimeout as delay } from "node:timers/promises";

import { deployedTarget } from "../../targets/choose-target.ts";
import type { Io } from "../../terminal/io.ts";
import { paints, screenOf } from "../../terminal/screen.ts";
import { LiveTrace } from "../../traces/store/live-trace.ts";
import type { TraceStore } from "../../traces/store/store.ts";
import { activityRows } from "./activity.ts";

const LOOK_MS = 250;
/** An ended question's last spans arrive within this time; the prompt waits for them no longer. */
const ARRIVAL_MS = 600;

export class TurnWatch {
  readonly #io: Io;
  readonly #job: string | undefined;
  readonly #agent: string;
  readonly #askedUs = Date.now() * 1_000;
  readonly #redraw: NodeJS.Timeout | undefined;
  readonly #stop = new AbortController();
  #trace = new LiveTrace();
  #isEnding = false;
  #wake = new AbortController();
  #reading: Promise<void> | undefined;

  /** `job` is undefined where there is no trace to read; `agent` is the one who was asked. */
  constructor(io: Io, job: string | undefined, agent: string) {
    [this.#io, this.#job, this.#agent] = [io, job, agent];
    if (io.live === undefined) return;
    this.#redraw = setInterval(() => this.#draw(), LOOK_MS);
    this.#draw();
  }

  /** The trace is known: from now on its spans tell who does what. */
  begin(traceId: string | undefined): void {
    if (traceId === undefined || this.#job === undefined || this.#reading !== undefined) return;
    this.#reading = this.#read(this.#job, traceId).catch(() => {});
  }

  /** Takes the rows off the screen. Resolves to the trace, with as much of it as came. */
  async end(): Promise<LiveTrace> {
    clearInterval(this.#redraw);
    this.#isEnding = true;
    this.#io.live?.set("activity", []);
    this.#wake.abort();
    const timer = setTimeout(() => this.#stop.abort(), ARRIVAL_MS);
    await this.#reading;
    clearTimeout(timer);
    return this.#trace;
  }

  async #read(job: string, traceId: string): Promise<void> {
    const quiet = { ...this.#io, note: () => {}, signal: this.#stop.signal };
    const target = await deployedTarget();
    await target.withTraces([job], quiet, async ([store]) => {
      if (store !== undefined) await this.#follow(store, traceId);
    });
  }

  async #follow(store: TraceStore, traceId: string): Promise<void> {
    for (;;) {
      this.#trace.apply(await store.changes(traceId, this.#trace.seq));
      this.#draw();
      const { summary } = this.#trace;
      if (this.#isEnding && summary !== undefined && summary.status !== "open" && summary.openSpans === 0) return;
      const signal = AbortSignal.any([this.#stop.signal, this.#wake.signal]);
      await delay(this.#isEnding ? LOOK_MS / 4 : LOOK_MS, undefined, { signal }).catch(() => {});
      this.#wake = new AbortController();
      if (this.#stop.signal.aborted) return;
    }
  }

  #draw(): void {
    const { live } = this.#io;
    if (live === undefined || this.#isEnding) return;
    const { dim } = paints(screenOf(process.stderr));
    const entry = { agent: this.#agent, askedUs: this.#askedUs };
    live.set("activity", activityRows(this.#trace.spans, entry, Date.now() * 1_000, live.columns).map(dim));
  }
}
