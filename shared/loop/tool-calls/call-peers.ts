// Other agents as one call of a tool sees them. The call is run again when a peer has asked back, so only tools that may be run again can
// ask, and each question is known by its place among those of the call.
import { contextOf, type Span } from "../../tracing/tracer.ts";
import { InputRequired, type Peers, type Question, type ToolPeers, type ToolQuestion } from "../tools/peers.ts";
import { TurnStopped } from "../log/stopped.ts";
import { mayRepeat, type Tool } from "../tools/tool.ts";

interface AskingCall {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly span: Span;
  /** The turn's: how long the tool itself may take is not its affair. */
  readonly signal: AbortSignal;
  /** What the tool runs with, where that is not what the model wanted. */
  readonly input: Readonly<Record<string, unknown>> | undefined;
}

export class CallPeers {
  /** What the tool is given. */
  readonly peers: ToolPeers;
  readonly #tool: Tool;
  readonly #over = new AbortController();
  #ordinal = 0;
  #isAsking = false;
  #interruption: InputRequired | TurnStopped | undefined;
  #stop: string | undefined;

  constructor(tool: Tool, peers: Peers, { id, idempotencyKey, span, signal, input }: AskingCall) {
    this.#tool = tool;
    const call = {
      toolUseId: id,
      idempotencyKey,
      parent: contextOf(span),
      signal: AbortSignal.any([signal, this.#over.signal]),
      ...(input === undefined ? {} : { input }),
    };
    this.peers = {
      find: (query) => peers.find(query, call.signal),
      ask: (question) => {
        const asked = this.#ask(peers, call, question);
        // A tool that does not wait for it is no reason to end the process.
        asked.catch(() => undefined);
        return asked;
      },
    };
  }

  /** Why the call cannot come to its end in this run, whatever the tool made of it. */
  get interruption(): InputRequired | TurnStopped | undefined {
    return this.#interruption;
  }

  /** Why a hook wants the turn to end when the call has its result. */
  get stop(): string | undefined {
    return this.#stop;
  }

  /** The tool has returned, or was given up: what it still asks is given up too. */
  close(): void {
    this.#over.abort(new Error("The tool that asked has come to its end."));
  }

  /** The place of the next question. Throws with a message for the model where there may be none. */
  #next(): number {
    const { name } = this.#tool;
    if (!mayRepeat(this.#tool)) {
      throw new Error(
        `${name} cannot ask other agents: a tool that does is run again when they ask back, and ${name} is neither readOnly nor idempotent.`,
      );
    }
    if (this.#interruption) throw this.#interruption;
    if (this.#isAsking) {
      throw new Error(`${name} asks another agent already: a call may ask several questions, but one after another.`);
    }
    return ++this.#ordinal;
  }

  async #ask(
    peers: Peers,
    call: Omit<Question, "ordinal" | keyof ToolQuestion>,
    { agent, message, thread }: ToolQuestion,
  ): Promise<{ text: string; thread: number }> {
    const ordinal = this.#next();
    this.#isAsking = true;
    try {
      const { stop, ...answer } = await peers.ask({ ...call, ordinal, agent, message, thread });
      this.#stop ??= stop;
      return answer;
    } catch (error) {
      // A tool may catch what it likes; that it has to wait it cannot.
      if (error instanceof InputRequired || error instanceof TurnStopped) this.#interruption = error;
      throw error;
    } finally {
      this.#isAsking = false;
    }
  }
}
