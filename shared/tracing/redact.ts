// Takes secrets out of text before it is recorded: the values that this Worker knows to be secret, and what looks like one.

const HIDDEN = "[redacted]";

/** Each matches a secret whole, or has a first group that is kept before it. */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // Keys whose makers gave them a mark: Anthropic and OpenAI, GitHub, GitLab, Slack, AWS, Google, Stripe, npm, Hugging Face.
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\b(?:ghp|gho|ghu|ghs|ghr|glpat|npm|hf)[_-][A-Za-z0-9_-]{16,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}/g,
  // JSON Web Tokens, and user:password@ of URLs.
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /(:\/\/[^\s/:@"']{1,200}:)[^\s/@"']{1,200}(?=@)/g,
  /(\b(?:[Bb]earer|[Bb]asic|BEARER|BASIC)\s+)[A-Za-z0-9._~+/=-]{12,}/g,
  // name = value, as in settings, headers, query strings and JSON.
  /((?:api[_-]?key|secret|passw(?:or)?d|access[_-]?token|auth[_-]?token|private[_-]?key)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)[^\s"'\\,;&}{]{4,}/gi,
];

/** Shorter ones would be found by chance. */
const LEAST_SECRET = 8;

/** Makes a redactor that knows these values by heart. */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= LEAST_SECRET);
  // A secret within another would leave the rest of it standing.
  known.sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN);
    for (const pattern of PATTERNS) clean = clean.replace(pattern, (_match, ...groups) => kept(groups) + HIDDEN);
    return clean;
  };
}

/** The first group, where the pattern has one; otherwise the first argument is the match's offset. */
function kept([first]: readonly unknown[]): string {
  return typeof first === "string" ? first : "";
}
