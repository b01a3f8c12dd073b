// A change over several machines, each played by a script of steps.
import { expect, test } from "vitest";

import { Machine, type SwapStep } from "../../../../../scripts/targets/hosts/machine/machine.ts";
import { OwnShell } from "../../../../../scripts/targets/hosts/ssh/own-shell.ts";
import { swap } from "../../../../../scripts/targets/hosts/swap.ts";
import { CliError } from "../../../../../scripts/terminal/cli-error.ts";
import { recordedIo } from "../../io.ts";

/** Says these steps; from `lost` on nobody reaches it. */
class Played extends Machine {
  readonly decisions: string[] = [];
  readonly #steps: readonly (SwapStep | "lost")[];
  #isLost = false;

  constructor(id: string, steps: readonly (SwapStep | "lost")[]) {
    super(id, new OwnShell("/nowhere"), "job");
    this.#steps = steps;
  }

  override async *swap() {
    for (const step of this.#steps) {
      if (step === "lost") {
        this.#isLost = true;
        throw new CliError("failed", `The connection to ${this.id} was lost.`);
      }
      yield { step, why: "its disk is full" };
    }
  }

  override async decide(what: "keep" | "back"): Promise<void> {
    if (this.#isLost) throw new CliError("failed", "lost");
    this.decisions.push(what);
  }
}

async function change(...played: readonly Played[]): Promise<unknown> {
  const machines = new Map(played.map((machine) => [machine.id, machine]));
  const request = { machines, release: 2, limitMs: 10_000, dataDiffer: false, io: recordedIo() };
  return swap(request, async (answers) => answers()).catch((error: unknown) => error);
}

test("all keep the release when all have started it", async () => {
  const all = ["h1", "h2"].map((id) => new Played(id, ["ended", "started", "kept"]));
  expect(await change(...all)).toEqual(expect.any(Number));
  expect(all.map(({ decisions }) => decisions)).toEqual([["keep"], ["keep"]]);
});

test("all go back when one fails", async () => {
  const [one, other] = [new Played("h1", ["ended", "started", "back"]), new Played("h2", ["ended", "failed"])];
  expect(await change(one, other)).toMatchObject({ message: "h2: its disk is full." });
  expect(one.decisions).toEqual(["back"]);
});

test("nothing is promised of a machine that was lost", async () => {
  const [one, other] = [new Played("h1", ["ended", "started", "back"]), new Played("h2", ["ended", "lost"])];
  const error = await change(one, other);
  expect(error).toMatchObject({
    message: expect.stringContaining("Nobody can say what runs on h2 now: without this command it goes back"),
  });
  expect(one.decisions).toEqual(["back"]);
});
