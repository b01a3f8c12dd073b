// Connections of a command, which jobs share.
import { expect, test } from "vitest";

import { shellAt } from "../../../../../scripts/targets/hosts/reach.ts";
import { noSsh } from "../../../../support/ssh-host.ts";

test.skipIf(noSsh())("two jobs may call different hosts the same", async () => {
  const { signal } = new AbortController();
  const places = ["one.invalid", "two.invalid"].map((destination) => ({
    id: "h1",
    kind: "ssh" as const,
    destination,
    expose: "https" as const,
  }));
  const outcomes = await Promise.allSettled(places.map(async (place) => shellAt(place, signal)));
  const said = outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : ""));
  expect(said[0]).toContain("one.invalid");
  expect(said[1]).toContain("two.invalid");
});
