// Takes secrets out of text before it is recorded: the values that this Worker knows to be secret, and what looks like
// one.

const HIDDEN = "[redacted]";

/**
 * Begins a value of a setting: `=` or `:`, perhaps after a quote that closes its name; backslashes where it is JSON
 * within JSON.
 */
const IS = String.raw`(?:\\{0,3}["'])?\s{0,4}[=:]\s{0,4}`;
const WORD = String.raw`[^\s"'\\,;&}{]`;
/** Names of settings that hold secrets, whatever stands before them: API_KEY, clientSecret, refresh_token … */
const NAMES =
  "(?:api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|client[_-]?secret|[_-]secret|passw(?:or)?d|passphrase|(?:access|auth|refresh|bearer|session|api|id)[_-]?token|[_-]token)";

/**
 * Each matches a secret whole, or has groups that are kept before it. Bounded repeats: what is searched may be hostile.
 */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
  // Keys whose makers gave them a mark: Anthropic and OpenAI, GitHub, GitLab, npm, Hugging Face, Slack, AWS, Google,
  // Stripe.
  /\bsk-[A-Za-z0-9_-]{16,400}/g,
  /\b(?:ghp|gho|ghu|ghs|ghr|glpat|npm|hf)[_-][A-Za-z0-9_-]{16,400}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,400}/g,
  /\bx(?:ox[abeprs]|app)-[A-Za-z0-9-]{10,400}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:AIza|ya29\.)[A-Za-z0-9_-]{20,400}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,400}/g,
  // JSON Web Tokens; user:password@ and token@ of URLs.
  /(?<![\w-])eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,2000}/g,
  /(:\/\/[^\s/:@"']{0,200}:)[^\s/@"']{1,200}(?=@)/g,
  /(:\/\/)[A-Za-z0-9_-]{20,200}(?=@)/g,
  /(\b(?:[Bb]earer|[Bb]asic|BEARER|BASIC)\s{1,4})[A-Za-z0-9._~+/=-]{12,4000}/g,
  // A name with its value: quoted whole, or one word that follows `=` or is no plain one.
  new RegExp(
    `(${NAMES}${IS})(?:(\\\\{0,3}["'])[^"'\\\\]{4,400}|(?:(?<==\\s{0,4})|(?=${WORD}{0,100}[0-9_+/=-]))${WORD}{4,400})`,
    "gi",
  ),
];

/** Shorter ones would be found by chance. */
const LEAST_SECRET = 8;

/** Makes a redactor that knows these values by heart, also as they stand in JSON, and in JSON within JSON. */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const known = [...new Set([...secrets].flatMap(written))].filter((secret) => secret.length >= LEAST_SECRET);
  // A secret within another would leave the rest of it standing.
  known.sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN);
    for (const pattern of PATTERNS)
      clean = clean.replace(pattern, (_match, ...groups: unknown[]) => kept(groups) + HIDDEN);
    return clean;
  };
}

/** The forms in which a secret may stand in a text. */
function written(secret: string): string[] {
  const once = inJson(secret.trim());
  return [secret.trim(), once, inJson(once)];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The groups; after them come the match's offset and the whole text. */
function kept(groups: readonly unknown[]): string {
  const offset = groups.findIndex((group) => typeof group === "number");
  return groups.slice(0, offset).join("");
}
