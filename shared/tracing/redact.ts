// Removes secrets from text before it is recorded: values that this Worker knows to be secret, and text that looks like
// a secret.

const HIDDEN = "[redacted]";

/**
 * Between a setting's name and its value: `=` or `:`, perhaps after a closing quote; backslashes for JSON within JSON.
 */
const IS = String.raw`(?:\\{0,3}["'])?\s{0,4}[=:]\s{0,4}`;
const WORD = String.raw`[^\s"'\\,;&}{]`;
/** Names of settings that hold secrets, with any prefix: API_KEY, clientSecret, refresh_token … */
const NAMES =
  "(?:api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|client[_-]?secret|[_-]secret|passw(?:or)?d|passphrase|(?:access|auth|refresh|bearer|session|api|id)[_-]?token|[_-]token)";

/**
 * Each matches a whole secret; text in groups before the secret is kept. Repeats are bounded: the text may be hostile.
 */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
  // Keys with a known prefix: Anthropic and OpenAI, GitHub, GitLab, npm, Hugging Face, Slack, AWS, Google, Stripe, Troupe.
  /\bsk-[A-Za-z0-9_-]{16,400}/g,
  /\b(?:ghp|gho|ghu|ghs|ghr|glpat|npm|hf)[_-][A-Za-z0-9_-]{16,400}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,400}/g,
  /\bx(?:ox[abeprs]|app)-[A-Za-z0-9-]{10,400}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:AIza|ya29\.)[A-Za-z0-9_-]{20,400}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,400}/g,
  /\btroupe_[a-z0-9-]{1,63}_[A-Za-z0-9_-]{65}/g,
  // JSON Web Tokens; user:password@ and token@ of URLs.
  /(?<![\w-])eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,2000}/g,
  /(:\/\/[^\s/:@"']{0,200}:)[^\s/@"']{1,200}(?=@)/g,
  /(:\/\/)[A-Za-z0-9_-]{20,200}(?=@)/g,
  /(\b(?:[Bb]earer|[Bb]asic|BEARER|BASIC)\s{1,4})[A-Za-z0-9._~+/=-]{12,4000}/g,
  // A name and its value: quoted, or one word that follows `=` or is no plain word.
  new RegExp(
    `(${NAMES}${IS})(?:(\\\\{0,3}["'])[^"'\\\\]{4,400}|(?:(?<==\\s{0,4})|(?=${WORD}{0,100}[0-9_+/=-]))${WORD}{4,400})`,
    "gi",
  ),
];

/** What every match of a pattern holds: most texts hold none of it, and are searched once instead of once a pattern. */
const HINT =
  /-----begin|sk[-_]|[rp]k_|gh[opsur][-_]|github_|glpat|npm[-_]|hf[-_]|xox|xapp|akia|asia|aiza|ya29|eyj|:\/\/|bearer|basic|key|secret|passw|passphrase|token|troupe_/i;

/** Shorter values would match by chance. */
const LEAST_SECRET = 8;

/** Makes a redactor for these values, also as they stand in JSON and in JSON within JSON. */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const known = [...new Set([...secrets].flatMap(written))].filter((secret) => secret.length >= LEAST_SECRET);
  // Longest first: a secret inside a longer one must not leave the rest of that.
  known.sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN);
    if (!HINT.test(clean)) return clean;
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

/** The matched groups. The match's offset and the whole text follow them in the arguments. */
function kept(groups: readonly unknown[]): string {
  const offset = groups.findIndex((group) => typeof group === "number");
  return groups.slice(0, offset).join("");
}
