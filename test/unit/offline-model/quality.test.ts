// How good the answers of the whole team are, over all questions. A change of the rules may lose one question and win another.
// To read the answers: SHOW_ANSWERS=1 vitest run --project unit test/unit/offline-model/quality.test.ts
import { beforeAll, describe, expect, test } from "vitest";
import { figuresOf, judge } from "./evaluation.ts";
import type { Figures, Judged } from "./evaluation.ts";
import { heldBack, known } from "./questions.ts";

describe.each([
  ["the questions that the rules were tuned with", known],
  ["questions that were held back", heldBack],
])("of %s", (_, questions) => {
  let judged: readonly Judged[];
  let figures: Figures;

  beforeAll(async () => {
    judged = await Promise.all(questions.map(judge));
    figures = figuresOf(judged);
    if (process.env["SHOW_ANSWERS"] === undefined) return;
    for (const { question, reply, faults } of judged)
      console.log(`## ${question.asked.join(" / ")} ${faults.join(", ")}\n\n${reply}\n`);
    console.log(figures);
  });

  test("nine in ten cite an article that holds the answer first", () => {
    expect(figures.firstSource).toBeGreaterThanOrEqual(0.9);
  });

  test("nine in ten quote the words that answer", () => {
    expect(figures.phrase).toBeGreaterThanOrEqual(0.9);
  });

  test("eight in ten do so within the first two sentences", () => {
    expect(figures.early).toBeGreaterThanOrEqual(0.8);
  });

  test("those that compare cite both sides", () => {
    expect(wrong(judged, "both sides")).toEqual([]);
  });

  test("those that the corpus does not answer cite nothing", () => {
    expect(wrong(judged, "cites")).toEqual([]);
  });

  test("at most one sentence in twenty is from an article about something else", () => {
    expect(figures.offTopic).toBeLessThanOrEqual(0.05);
  });

  test("no sentence refers to one that is not quoted", () => {
    expect(figures.dangling).toBe(0);
  });

  test("an answer has two to five sentences on average", () => {
    expect(figures.sentencesPerAnswer).toBeGreaterThan(2);
    expect(figures.sentencesPerAnswer).toBeLessThan(5);
  });
});

function wrong(judged: readonly Judged[], fault: string): readonly string[] {
  return judged.filter(({ faults }) => faults.includes(fault)).map(({ question }) => question.asked.join(" / "));
}
