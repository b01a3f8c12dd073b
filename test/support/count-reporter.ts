// Prints `N passed, N failed` as the very last line of a test run, for those who read only that. A file that cannot be
// loaded and an error outside any test count as failed.
import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

const STDOUT = 1;

export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
      }
    }
    // Other reporters and the pools may still print.
    process.once("exit", () => writeSync(STDOUT, `${passed} passed, ${failed} failed\n`));
  }
}
