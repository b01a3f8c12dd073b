// The order of test files: those that take longest first, so that none of them runs alone at the end.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Beginnings of paths below test, with a minute and more each. The longest is first. */
const LONGEST = [
  "e2e/cloudflare/target",
  "e2e/deployment",
  "e2e/hosts",
  "e2e/approvals",
  "e2e/chat",
  "e2e/traces",
  "e2e/cloudflare",
  "e2e/crash/job",
  "e2e/question",
  "e2e/remote-agents",
  "e2e/budgets",
  "e2e/sessions",
  "e2e/interruption",
  "e2e/crash/agent",
  "e2e/stolen-host",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((path) => moduleId.includes(`/test/${path}`));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
