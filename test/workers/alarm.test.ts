// The alarm that all parts of a Durable Object share.
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { Alarm } from "#shared/durable/alarm.ts";

const LATER = Date.now() + 3_600_000;

function alarmIn(name: string, work: (alarm: Alarm) => Promise<void>, earlier?: number): Promise<number | null> {
  return runInDurableObject(env.SCRATCH.getByName(name), async (_, { storage }) => {
    if (earlier !== undefined) await storage.setAlarm(earlier);
    await work(new Alarm(storage));
    return storage.getAlarm();
  });
}

test("an earlier alarm of another life is kept, a later one is not", async () => {
  const at = LATER + 10_000;
  expect(await alarmIn("alarm-kept", async (alarm) => alarm.keepOrRingBy(at), LATER)).toBe(LATER);
  expect(await alarmIn("alarm-replaced", async (alarm) => alarm.keepOrRingBy(LATER), at)).toBe(LATER);
});

test("what is set while the alarm of another life is read is not forgotten", async () => {
  const at = await alarmIn(
    "alarm-meanwhile",
    async (alarm) => {
      const kept = alarm.keepOrRingBy(LATER + 30_000);
      alarm.ringBy(LATER + 20_000);
      await kept;
      // Sooner than what is set, later than what was.
      alarm.ringBy(LATER + 10_000);
    },
    LATER,
  );
  expect(at).toBe(LATER + 10_000);
});
