// A job of one agent that answers slowly, so that something can happen to it in the middle of its answer.

export function slowJob(name: string): string {
  return `name: ${name}
agents: [{ id: summarizer }]
topology: { type: mesh }
model: { provider: offline, offline: { tokens_per_second: 25 } }
`;
}

/** What the answer to the question holds, and its first word. */
export const SENTENCE =
  "Marmots hibernate for seven months in their burrows below the snow of the high Alps, huddled together.";
export const FIRST_WORD = "Marmots";
export const QUESTION = `Question: How long do marmots hibernate?\n\n[1] Marmots\nsource: marmots.md\n${SENTENCE}`;
