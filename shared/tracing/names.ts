// The names of all spans and attributes, as literals only here: first those of the OpenTelemetry semantic conventions
// 1.44 (GenAI and MCP have status "Development"), then ours with the prefix `troupe.`. "Reserved" names are not emitted
// yet.

/** Resource attributes: which agent of which job, in which isolate. */
export const RESOURCE = {
  /** An agent's id, or `troupe` for the command line and the control plane. */
  serviceName: "service.name",
  /** The job. */
  serviceNamespace: "service.namespace",
  /** Random for each isolate. */
  serviceInstance: "service.instance.id",
} as const;

/** General conventions. */
export const GENERAL = {
  errorType: "error.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  httpStatus: "http.response.status_code",
  /** Ordinal of the resend, from 1; absent on the first attempt. */
  resendCount: "http.request.resend_count",
} as const;

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/ */
export const GEN_AI = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  conversation: "gen_ai.conversation.id",
  agentName: "gen_ai.agent.name",
  requestModel: "gen_ai.request.model",
  maxTokens: "gen_ai.request.max_tokens",
  stream: "gen_ai.request.stream",
  responseId: "gen_ai.response.id",
  responseModel: "gen_ai.response.model",
  /** Array of strings. */
  finishReasons: "gen_ai.response.finish_reasons",
  /** Seconds from the request to the first piece of the answer. */
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  /** Cache tokens included. */
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  toolName: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolDescription: "gen_ai.tool.description",
  toolCallId: "gen_ai.tool.call.id",
  /** Content, JSON: see `content` of the job file. */
  toolArguments: "gen_ai.tool.call.arguments",
  toolResult: "gen_ai.tool.call.result",
  systemInstructions: "gen_ai.system_instructions",
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
} as const;

/** Values of `gen_ai.operation.name`. */
export const OPERATION = {
  chat: "chat",
  executeTool: "execute_tool",
  invokeAgent: "invoke_agent",
  createAgent: "create_agent",
} as const;

/** Values of `gen_ai.provider.name`, by the provider of an agent's model. */
export const PROVIDER = { anthropic: "anthropic", offline: "troupe.offline" } as const;

/** A2A, as proposed in semantic-conventions-genai #195. */
export const A2A = {
  method: "a2a.method.name",
  messageId: "a2a.message.id",
  taskId: "a2a.task.id",
  /** Without its prefix and in lower case: working, completed, canceled, failed … */
  taskState: "a2a.task.state",
  protocolVersion: "a2a.protocol.version",
} as const;

/** Reserved. `params._meta` carries the trace context. */
export const MCP = {
  method: "mcp.method.name",
  session: "mcp.session.id",
  protocolVersion: "mcp.protocol.version",
  requestId: "jsonrpc.request.id",
} as const;

/** What no convention covers. */
export const TROUPE = {
  /** On a trace's root: `query`, `deploy` or `lifecycle`. */
  traceKind: "troupe.trace.kind",
  /** True on a span that the registry closed for a lost agent; the agent's own end replaces it. */
  provisional: "troupe.span.provisional",
  /** The asking side: an agent's id, or `client`. */
  source: "troupe.a2a.source",
  /** The asked agent's id. */
  target: "troupe.a2a.target",
  /** Content: text of the question and of the answer. */
  question: "troupe.a2a.message",
  answer: "troupe.a2a.answer",
  /** US dollars of one model call; absent without a known price. */
  cost: "troupe.cost.usd",
  /** How a turn ended, as in the Claude Agent SDK: success, error_max_turns … */
  subtype: "troupe.turn.subtype",
  modelCalls: "troupe.turn.model_calls",
  toolReadOnly: "troupe.tool.read_only",
  toolIdempotent: "troupe.tool.idempotent",
  job: "troupe.job",
  release: "troupe.deploy.release",
  stage: "troupe.deploy.stage",
  /** A process that the deployment started. */
  process: "troupe.deploy.process",
  /** registered, suspect, dead, removed. */
  lifecycle: "troupe.agent.lifecycle",
} as const;

/** `approval {tool}`, INTERNAL: from the request to the decision; the tool's own span excludes the wait. */
export const APPROVAL = {
  /** Ids of all approvals of the tool call, separated by spaces. */
  id: "troupe.approval.id",
  tool: "troupe.approval.tool",
  /** allow, deny, expired or void. */
  decision: "troupe.approval.decision",
  /** client, policy, clock, or message (another message came instead of a decision). */
  decidedBy: "troupe.approval.decided_by",
} as const;

/** `compact`, INTERNAL. */
export const COMPACTION = {
  /** auto or manual. */
  trigger: "troupe.compaction.trigger",
  tokensBefore: "troupe.compaction.tokens_before",
  tokensAfter: "troupe.compaction.tokens_after",
} as const;

/** `breaker {state}`, an event on the span whose call it concerns. */
export const BREAKER = {
  /** The guarded backend or peer. */
  target: "troupe.breaker.target",
  /** closed, open or half_open. */
  state: "troupe.breaker.state",
  failures: "troupe.breaker.failures",
} as const;

/** `reserve budget`, CLIENT. */
export const BUDGET = {
  /** The exhausted budget: turns, tokens or usd. */
  kind: "troupe.budget.kind",
  /** Tokens of the call with its longest answer. */
  reserved: "troupe.budget.reserved",
} as const;

/** Names of spans. */
export const SPAN = {
  chat: (model: string) => `chat ${model}`,
  tool: (tool: string) => `execute_tool ${tool}`,
  turn: (agent: string) => `invoke_agent ${agent}`,
  deploy: (job: string) => `deploy ${job}`,
  stage: (stage: string) => `deploy.${stage}`,
  startAgent: (agent: string) => `create_agent ${agent}`,
  lifecycle: (event: string, agent: string) => `agent ${event} ${agent}`,
  approval: (tool: string) => `approval ${tool}`,
  compaction: "compact",
  budget: "reserve budget",
  mcp: (method: string, target: string) => (target === "" ? method : `${method} ${target}`),
} as const;

/** Names of events on spans. */
export const EVENT = {
  /** The request was retried before an answer began. */
  retry: "retry",
  cancelRequested: "cancel requested",
  breaker: (state: string) => `breaker ${state}`,
} as const;

/** Our values of `error.type`. A model's failure has its ModelError code, an exception its class. */
export const ERROR = {
  timeout: "timeout",
  canceled: "canceled",
  toolError: "tool_error",
  invalidOutput: "invalid_output",
  refused: "refused",
  /** A tool asked for a private address. */
  addressRefused: "address_refused",
  modelRefusal: "model_refusal",
  agentLost: "agent_lost",
  unreachable: "unreachable",
  internal: "internal",
  interrupted: "interrupted",
} as const;
