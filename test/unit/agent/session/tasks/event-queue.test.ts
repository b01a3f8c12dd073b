import { expect, it } from "vitest";
import { EventQueue } from "#shared/agent/session/tasks/event-queue.ts";

it("gives a slow reader all events that wait", async () => {
  const queue = new EventQueue<number>();
  for (let n = 0; n < 10_000; n++) queue.push(n);
  queue.close();
  let count = 0;
  for await (const n of queue.events()) expect(n).toBe(count++);
  expect(count).toBe(10_000);
});

it("tells a reader that is too far behind, instead of a clean end", async () => {
  const queue = new EventQueue<number>();
  const reading = queue.events();
  queue.push(0);
  expect((await reading.next()).value).toBe(0);
  for (let n = 0; n <= 10_001; n++) queue.push(n);
  await expect(reading.next()).rejects.toThrow("subscribe to it again");
});
