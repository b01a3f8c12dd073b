// After all tests: what was tried, how long it took, and how it ended.
import type { Reporter, TestModule } from "vitest/node";

import { fixed, table } from "../bench/table.ts";

export default class TableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap(({ children }) =>
      [...children.allTests()].map((test) => [
        test.fullName,
        fixed((test.diagnostic()?.duration ?? Number.NaN) / 1000, 1),
        test.result().state,
      ]),
    );
    console.log(`\n${table(["scenario", "s", ""], rows)}`);
  }
}
