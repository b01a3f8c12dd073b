// Recognises a backend's message that a request exceeds the model's context. Each backend words it differently.

/** Characters of an error that are searched. */
const MOST_WORDS = 4_000;

/** In lower case. */
const WORDS = [
  // The Messages API, and Bedrock's.
  "prompt is too long",
  "exceed context limit",
  "request_too_large",
  "input is too long",
  // OpenAI, vLLM, LiteLLM, Groq.
  "context_length_exceeded",
  "maximum context length",
  "maximum model length",
  "contextwindowexceeded",
  "reduce the length of the messages",
  "reduce the length of the prompt",
  // OpenAI's newer words, OpenRouter's.
  "exceeds the context window",
  "exceeds the model's context",
  "exceed the context window",
  // Ollama, LM Studio, llama.cpp.
  "prompt too long",
  "exceeded max context length",
  "exceeds the context length",
  "greater than the context length",
  "exceeds the available context size",
  "exceed_context_size",
  // Gemini.
  "exceeds the maximum number of tokens",
];

/** `said` is the whole text of the error. */
export function isTooLongMessage(said: string): boolean {
  const words = said.slice(0, MOST_WORDS).toLowerCase();
  return WORDS.some((some) => words.includes(some));
}

/** How many times too long the request was; undefined unless the message has both figures. */
export function timesTooLong(said: string): number | undefined {
  const words = said.slice(0, MOST_WORDS);
  const [, whole, most] = /(\d{1,12}) tokens > (\d{1,12})\b/.exec(words) ?? [];
  const [, input, output, limit] = /(\d{1,12}) \+ (\d{1,12}) > (\d{1,12})\b/.exec(words) ?? [];
  const times = whole === undefined ? (Number(input) + Number(output)) / Number(limit) : Number(whole) / Number(most);
  return times > 1 && Number.isFinite(times) ? times : undefined;
}
