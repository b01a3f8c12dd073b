// Other agents as one call of a tool sees them. The call runs again when a peer asks back, so only tools that may run again can ask.
// Each question is known by its place among those of the call.
import { contextOf, type Span } from "../../tracing/tracer.ts";
import { InputRequired, type Peers, type Question, type ToolPeers, type ToolQuestion } from "../tools/peers.ts";
import { TurnStopped } from "../log/stopped.ts";
import { mayRepeat, type Tool } from "../tools/tool.ts";

interface AskingCall {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly span: Span;
  /** The turn's signal: the tool's own time limit does not end a question. */
  readonly signal: AbortSignal;
  /** The tool's input, where a hook or a person changed the model's. */
  readonly input: Readonly<Record<string, unknown>> | undefined;
}

export class CallPeers {
  /** What the tool gets. */
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
        // A tool that does not await its question must not end the process.
        asked.catch(() => undefined);
        return asked;
      },
    };
  }

  /** Why the call cannot end in this run, whatever the tool returned. */
  get interruption(): InputRequired | TurnStopped | undefined {
    return this.#interruption;
  }

  /** Why a hook ends the turn once the call has its result. */
  get stop(): string | undefined {
    return this.#stop;
  }

  /** Aborts questions that are still open, once the tool has returned or was given up. */
  close(): void {
    this.#over.abort(new Error("The tool that asked has ended."));
  }

  /** The place of the next question. Throws, with a message for the model, where the tool may not ask now. */
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
      // A tool may catch this error, but the call has to wait all the same.
      if (error instanceof InputRequired || error instanceof TurnStopped) this.#interruption = error;
      throw error;
    } finally {
      this.#isAsking = false;
    }
  }
}
