// Questions about the default corpus with what a good answer to each holds. Written before the rules were tuned.

export interface Question {
  /** The person's messages; the last one is judged. */
  readonly asked: readonly string[];
  /** Articles that may be cited first. Empty: the corpus has no answer, so nothing may be cited. */
  readonly files: readonly string[];
  /** Further articles that have something to say. */
  readonly also?: readonly string[];
  /** Words that a good answer quotes. */
  readonly phrase?: string;
  /** Articles that must all be cited; of alternatives, joined by `|`, one. */
  readonly both?: readonly string[];
}

const about = (question: string, files: string, phrase: string, also = ""): Question => ({
  asked: [question],
  files: files.split(" "),
  phrase,
  also: also.split(" "),
});
const compare = (question: string, files: string, phrase: string, also = ""): Question => ({
  ...about(question, files, phrase, also),
  both: files.split(" "),
});
const then = (first: string, question: string, files: string, phrase: string): Question => ({
  ...about(question, files, phrase),
  asked: [first, question],
});
const unknown = (question: string): Question => ({ asked: [question], files: [] });

/** Those that the rules were tuned with. */
export const known: readonly Question[] = [
  about("What is workerd?", "workerd.md", "server runtime", "miniflare.md wrangler.md"),
  about("What is a Durable Object?", "durable-objects.md", "stateful server", "durable-object-sqlite-storage.md"),
  about("What is the Model Context Protocol?", "model-context-protocol.md", "open standard", "a2a-protocol.md"),
  about("What is an agent card?", "a2a-agent-card.md", "introduces itself", "a2a-protocol.md"),
  about("What are V8 isolates?", "isolates-and-containers.md", "independent instance", "cloudflare-workers.md"),
  about("What does OTLP stand for?", "otlp.md", "OpenTelemetry Protocol", "opentelemetry.md"),
  about("what is cap'n proto", "cap-n-proto.md", "data interchange format", "workerd.md"),
  about("How do Durable Objects store data?", "durable-object-sqlite-storage.md durable-objects.md", "SQLite database"),
  about("How does WebSocket hibernation work?", "websocket-hibernation.md", "evicted from memory"),
  about("How do I run an MPI program?", "mpi.md", "mpirun"),
  about("How does prompt caching work?", "prompt-caching.md", "cache_control"),
  about("How does an agent loop with tools work?", "tool-use.md", "call the model, run the tools", "prompt-caching.md"),
  about("How do I deploy a Worker?", "wrangler.md", "wrangler deploy", "cloudflare-workers.md"),
  about(
    "How can one Worker call another?",
    "service-bindings.md",
    "without going through a public URL",
    "workerd.md cloudflare-workers.md",
  ),
  about(
    "How do I restore a Durable Object to an earlier point in time?",
    "durable-object-sqlite-storage.md",
    "30 days",
    "d1.md",
  ),
  about("How does a tool report an error to the model?", "tool-use.md", "is_error"),
  about("Which licence is workerd under?", "workerd.md", "Apache 2.0"),
  about("Which header carries the trace context?", "trace-context.md opentelemetry.md", "traceparent"),
  about("Which stop reasons does the Messages API return?", "messages-api.md", "end_turn", "tool-use.md"),
  about("Which tokenizer does FTS5 use by default?", "sqlite-fts5.md", "unicode61"),
  about("Who created Cap'n Proto?", "cap-n-proto.md", "Kenton Varda"),
  about(
    "Why do containers start slower than isolates?",
    "isolates-and-containers.md",
    "start a process",
    "cloudflare-workers.md",
  ),
  about("Why should an alarm handler be idempotent?", "durable-object-alarms.md", "running it twice", "queues.md"),
  about("Why is egress from R2 cheap?", "r2.md", "charges nothing for egress"),
  compare(
    "What is the difference between A2A and MCP?",
    "a2a-protocol.md model-context-protocol.md",
    "connects an agent to other agents",
    "json-rpc.md",
  ),
  compare(
    "Compare D1 with Durable Objects",
    "d1.md durable-object-sqlite-storage.md|durable-objects.md",
    "reached over the network",
    "durable-object-sqlite-storage.md durable-objects.md",
  ),
  compare("isolates vs containers", "isolates-and-containers.md", "by contrast"),
  about(
    "Server-sent events or WebSockets: what is the difference?",
    "server-sent-events.md",
    "one direction only",
    "websocket-hibernation.md",
  ),
  about("How much memory may a Worker use?", "cloudflare-workers.md", "128 MB", "isolates-and-containers.md"),
  about("How large can a KV value be?", "workers-kv.md", "25 MiB"),
  about("How many retries does an alarm get?", "durable-object-alarms.md", "six retries"),
  about("Which port does OTLP use over gRPC?", "otlp.md", "4317"),
  about("When was the A2A protocol announced?", "a2a-protocol.md", "April 2025"),
  about("How long does a prompt cache entry live?", "prompt-caching.md", "five minutes"),
  about("How long is a trace id?", "trace-context.md", "32 characters", "otlp.md opentelemetry.md"),
  then("What is workerd?", "Who published it?", "workerd.md", "Cloudflare published it"),
  then(
    "How do Durable Object alarms work?",
    "And how often are they retried?",
    "durable-object-alarms.md",
    "six retries",
  ),
  unknown("What is the capital of Mongolia?"),
  unknown("How do I configure a Redis cluster on Kubernetes?"),
  unknown("Who won the football world cup in 2022?"),
];

/** Held back while tuning. */
export const heldBack: readonly Question[] = [
  about("what is bm25", "sqlite-fts5.md", "rates a document higher"),
  about(
    "What is a span?",
    "opentelemetry.md",
    "single operation",
    "genai-semantic-conventions.md trace-context.md otlp.md",
  ),
  about("How large does a batch in Cloudflare Queues become?", "queues.md", "maximal number of messages"),
  about("How can a client follow an A2A task?", "a2a-tasks-and-streaming.md", "poll by asking", "a2a-protocol.md"),
  about("Which transports does MCP use?", "model-context-protocol.md", "Streamable HTTP"),
  about("Why are prompts not recorded by default in GenAI spans?", "genai-semantic-conventions.md", "personal data"),
  compare("How do Workers KV and R2 differ in consistency?", "workers-kv.md r2.md", "strongly consistent"),
  about("What is the maximum size of a D1 database?", "d1.md", "10 GB", "durable-object-sqlite-storage.md"),
  about("What is the JSON-RPC error code for a method that does not exist?", "json-rpc.md", "-32601"),
  about("What happens when a queue consumer throws an error?", "queues.md", "delivered again"),
  about("Is workerd a secure sandbox?", "workerd.md", "not a hardened sandbox"),
  then("What is R2?", "Is it strongly consistent?", "r2.md", "strongly consistent"),
  unknown("What did Einstein say about gravity?"),
  unknown("How long should sourdough bread stay in the oven?"),
];
