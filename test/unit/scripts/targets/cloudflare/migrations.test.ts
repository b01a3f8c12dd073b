// Classes of Durable Objects over releases: what is added, and what would lose data.
import { expect, test } from "vitest";

import { migrationsOf, stepsTo } from "../../../../../scripts/targets/cloudflare/upload/migrations.ts";

const FIRST = { added: ["Session", "Beacon"], deleted: [] };
const of = (before: Parameters<typeof stepsTo>[1]["before"], mayLose = false) => ({
  script: "a-worker",
  before,
  mayLose,
});

test("a new Worker has one step, and the same classes add none", () => {
  const steps = stepsTo(["Session", "Beacon"], of([]));
  expect(steps).toEqual([FIRST]);
  expect(stepsTo(["Beacon", "Session"], of(steps))).toEqual([FIRST]);
});

test("a class more is a step more", () => {
  const steps = stepsTo(["Session", "Beacon", "Corpus"], of([FIRST]));
  expect(migrationsOf(steps)).toEqual([
    { tag: "v1", new_sqlite_classes: ["Session", "Beacon"] },
    { tag: "v2", new_sqlite_classes: ["Corpus"] },
  ]);
});

test("a class less is refused, unless its data may be lost", () => {
  expect(() => stepsTo(["Session"], of([FIRST]))).toThrow(
    "a-worker no longer has the class Beacon, whose data Cloudflare would delete.",
  );
  const steps = stepsTo(["Session"], of([FIRST], true));
  expect(migrationsOf(steps)[1]).toEqual({ tag: "v2", deleted_classes: ["Beacon"] });
  // The class may come back, without its data.
  expect(stepsTo(["Session", "Beacon"], of(steps)).at(-1)).toEqual({ added: ["Beacon"], deleted: [] });
});
