// Answers to approvals that the job file gives.
import type { ApprovalRule } from "../log/approval.ts";
import { ruleFits } from "./permissions.ts";

/** The decision of the first rule that matches; undefined where a person has to decide. */
export function policyAnswer(
  rules: readonly ApprovalRule[],
  tool: string,
  input: Readonly<Record<string, unknown>>,
): ApprovalRule["decision"] | undefined {
  return rules.find((rule) => ruleFits(rule.tool, tool) && fieldsFit(rule.input ?? {}, input))?.decision;
}

function fieldsFit(wanted: NonNullable<ApprovalRule["input"]>, input: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(([field, patterns]) => {
    const text = Object.hasOwn(input, field) ? fieldText(input[field]) : undefined;
    return text !== undefined && patterns.some((pattern) => globFits(pattern, text));
  });
}

/** Lists and objects have no text, so they match nothing. */
function fieldText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** Whether `pattern` matches the whole text. `*` matches any text, also none; no other character is special. */
export function globFits(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return text.length - end.length >= from && text.endsWith(end);
}
