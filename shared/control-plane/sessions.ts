// Wire format of an agent's own routes on sessions. Only the command line that deployed the job uses them.
import * as z from "zod";
import { Usage } from "../budget/usage.ts";

/** Where an agent takes these operations: POST /sessions/<operation>, with JSON. */
export const SESSIONS_PATH = "/sessions";

/** Bytes of a request: it names turns by their numbers. */
export const MAX_SESSIONS_BODY = 1024 * 1024;

const Owned = z.object({ principal: z.string(), session: z.string().min(1) });

/** What an agent has of one session. Times in milliseconds since the epoch. */
export const SessionPart = z.object({
  session: z.string(),
  /** Turns in all threads. */
  turns: z.int(),
  /** Those in the thread that bears the session's name: no agent asked for them. */
  ownTurns: z.int(),
  /** Turns that wait for their begin or run, and those that wait for an answer. */
  working: z.int(),
  waiting: z.int(),
  /** The state of the turn that changed last, as A2A names it. */
  lastState: z.string(),
  updatedAt: z.number(),
});
export type SessionPart = Readonly<z.infer<typeof SessionPart>>;

/** Sessions of a principal, those that changed last first. */
export const ListSessions = z.object({ principal: z.string(), pageToken: z.string().default("") });
export type ListSessions = z.input<typeof ListSessions>;
export const SessionsPage = z.object({
  sessions: z.array(SessionPart),
  /** Empty on the last page. */
  nextPageToken: z.string(),
  /** Sessions of all other principals. */
  ofOthers: z.int(),
});
export type SessionsPage = Readonly<z.infer<typeof SessionsPage>>;

/** Turns of a session in the order in which they began. */
export const ListTurns = Owned.extend({
  /** Only those of this thread. */
  contextId: z.string().optional(),
  /** Only those that these messages opened. */
  messageIds: z.array(z.string()).optional(),
  /** Only those up to this one, by its number in the thread. */
  upTo: z.int().optional(),
  /** Only the last so many. */
  last: z.int().min(1).optional(),
  /** With all steps of their logs. */
  steps: z.boolean().default(false),
  /** Where the page before ended. */
  after: z.int().default(0),
});
export type ListTurns = z.input<typeof ListTurns>;

/** A question to another agent that opened a turn there. */
export const PeerTurn = z.object({
  agent: z.string(),
  contextId: z.string(),
  /** The thread's number among those that the asking thread has opened. */
  thread: z.int(),
  messageId: z.string(),
});
export type PeerTurn = Readonly<z.infer<typeof PeerTurn>>;

export const TurnRecord = z.object({
  contextId: z.string(),
  n: z.int(),
  taskId: z.string(),
  messageId: z.string().nullable(),
  /** As A2A names it. */
  state: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
  question: z.string(),
  answer: z.string().nullable(),
  problem: z.string().nullable(),
  /** Of the agent's own model calls. */
  usage: Usage,
  /** US dollars of these; null where a price is not known, or the turn has not ended. */
  costUsd: z.number().nullable(),
  traceId: z.string(),
  /** For the model, a summary replaces what was said before this turn. */
  compacted: z.boolean(),
  peers: z.array(PeerTurn),
  /** As the log has them (shared/loop/log/step.ts). */
  steps: z.array(z.record(z.string(), z.unknown())).optional(),
});
export type TurnRecord = Readonly<z.infer<typeof TurnRecord>>;

export const TurnsPage = z.object({
  turns: z.array(TurnRecord),
  /** Turns that fit, on all pages. */
  total: z.int(),
  /** The next page begins after this; null on the last page. */
  next: z.int().nullable(),
});
export type TurnsPage = Readonly<z.infer<typeof TurnsPage>>;

export const DeleteSession = Owned;
/** Turns that were there, as far as the agent's index knew. */
export const DeletedSession = z.object({ turns: z.int() });
export type DeletedSession = Readonly<z.infer<typeof DeletedSession>>;

/** Copies turns of a thread that have ended into a new thread, which may belong to another session. */
export const CopyThread = Owned.extend({
  contextId: z.string(),
  /** Their numbers, in order. */
  turns: z.array(z.int()).min(1),
  /** The contextId of the copy. */
  to: z.string().min(1),
  /** Threads at other agents that have no copy, by their numbers: the model is told. */
  lost: z.array(PeerTurn.pick({ agent: true, thread: true })),
});
export type CopyThread = z.input<typeof CopyThread>;
export const CopiedThread = z.object({ turns: z.int() });
export type CopiedThread = Readonly<z.infer<typeof CopiedThread>>;
