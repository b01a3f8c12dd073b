// What a turn aims at: how it compares with the peer and the floors in the same round, and what it costs.
import type { Aim } from "./aims.ts";
import type { TurnCalls } from "./turn-calls.ts";
import { DURABLE, EXISTING, FLOOR, NEW, PEER_NEW, PEER_ONE, PEER_SESSION } from "./turn-subjects.ts";

/** One figure of a subject at so many in flight, in each round. */
export type Values = (figure: "p50" | "perSecond" | "cpuMs", name: string, inFlight: number) => readonly number[];

export function timeAims(values: Values): Aim[] {
  const ratio = (figure: "p50" | "perSecond", of: string, to: string, inFlight: number) => {
    const below = values(figure, to, inFlight);
    return {
      what: `${figure === "p50" ? "p50" : "req/s"} of ${of} / ${to}, ${inFlight} in flight`,
      values: values(figure, of, inFlight).map((value, round) => value / (below[round] ?? Number.NaN)),
    };
  };
  return [
    { ...ratio("perSecond", EXISTING, PEER_SESSION, 32), least: 1.1 },
    { ...ratio("perSecond", EXISTING, PEER_SESSION, 100), least: 1.1 },
    { ...ratio("perSecond", EXISTING, PEER_ONE, 32), least: 0.9, wished: 1.1 },
    { ...ratio("perSecond", EXISTING, PEER_ONE, 100), least: 0.9, wished: 1.1 },
    { ...ratio("p50", EXISTING, PEER_SESSION, 1), most: 1.3 },
    { ...ratio("p50", EXISTING, PEER_ONE, 1), most: 1.3 },
    { ...ratio("perSecond", NEW, PEER_NEW, 32), least: 1.2 },
    { ...ratio("perSecond", EXISTING, FLOOR, 32), least: 0.4 },
    ...[1, 32, 100].map((inFlight) => ({ ...ratio("perSecond", NEW, DURABLE, inFlight), least: 0.5 })),
    // 0.55 of 3.45 ms, which a turn took on one machine. Another machine has another figure.
    { what: `CPU ms of ${EXISTING}, 32 in flight`, values: values("cpuMs", EXISTING, 32), most: 1.9 },
  ];
}

export function callAims(calls: ReadonlyMap<string, TurnCalls>): Aim[] {
  const [existing, fresh] = [calls.get(EXISTING), calls.get(NEW)];
  const one = (value = Number.NaN) => ({ values: [value] });
  return [
    { what: `fsyncs of ${EXISTING}`, ...one(existing?.untilAnswer.syncs), most: 2.4 },
    { what: `fsyncs of ${NEW}, until the answer`, ...one(fresh?.untilAnswer.syncs), most: 8.5 },
    { what: `fsyncs of ${NEW}, with eviction`, ...one(fresh?.withEviction?.syncs), most: 10.3 },
  ];
}
