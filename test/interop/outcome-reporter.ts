// Ends the run with a line a test: what was seen working, what failed, and, in capitals, what was not looked at and why.
import { writeSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

const STDOUT = 1;

export class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => [...module.children.allTests()]).map(outcomeOf);
    // Other reporters may still print.
    process.once("exit", () => writeSync(STDOUT, `\n${lines.join("\n")}\n`));
  }
}

function outcomeOf(test: TestCase): string {
  const result = test.result();
  switch (result.state) {
    case "passed":
      return `seen working    ${test.fullName}`;
    case "skipped":
      return `NOT LOOKED AT   ${test.fullName}: ${result.note ?? "no reason given"}`;
    case "failed":
    case "pending":
      return `FAILED          ${test.fullName}`;
  }
}
