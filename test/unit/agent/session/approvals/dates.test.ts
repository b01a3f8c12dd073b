// When an approval expires may be a peer's word, so it is read as such: a number that is no time is refused, any other can be shown.
import { expect, it } from "vitest";
import { Approval } from "#shared/loop/log/approval.ts";
import { approvalRequest } from "#shared/agent/session/tasks/approval-request.ts";

const at = (expiresAt: number) => ({ id: "ap_1", agent: "a", tool: "pay", input: {}, reason: "It pays.", expiresAt });

it.each([-1e300, -1, 8.64e15 + 1, 1e300])("an approval that expires at %d is refused", (expiresAt) => {
  expect(Approval.safeParse(at(expiresAt)).success).toBe(false);
});

it.each([0, 1, 8.64e15])("one that expires at %d can be shown", (expiresAt) => {
  expect(approvalRequest([Approval.parse(at(expiresAt))]).text).toContain("pay");
});
