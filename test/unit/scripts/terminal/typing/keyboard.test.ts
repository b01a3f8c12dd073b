// What is typed at a terminal: a terminal at the edge of the process, whose keys the real line editor reads.
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Approval } from "#shared/loop/log/approval.ts";

import { askForDecisions, promptOn } from "../../../../../scripts/query/ask-for-decisions.ts";
import { History } from "../../../../../scripts/terminal/typing/history.ts";
import { Keyboard, type TypingOptions } from "../../../../../scripts/terminal/typing/keyboard.ts";
import { ScreenView } from "../../../../support/screen.ts";
import { recordedIo } from "../../io.ts";

const PASTE = (text: string) => `\u001b[200~${text}\u001b[201~`;

async function until(
  holds: () => boolean | Promise<boolean>,
  otherwise: () => string | Promise<string>,
): Promise<void> {
  await vi.waitFor(async () => {
    if (!(await holds())) throw new Error(await otherwise());
  }, 5_000);
}

/** A terminal: `type` is what a person does, `screen` what a person sees. */
class Terminal implements Disposable {
  readonly input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  readonly #output: PassThrough;
  readonly never = new AbortController().signal;
  readonly screen: ScreenView;
  readonly keyboard: Keyboard;

  constructor(options: TypingOptions = {}, columns = 80) {
    this.screen = new ScreenView({ columns });
    this.#output = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 24 });
    this.#output.setEncoding("utf8").on("data", (text: string) => this.screen.write(text));
    this.keyboard = new Keyboard(this.input, this.#output, options);
  }

  type(text: string): void {
    this.input.write(text);
  }

  /** Comes back when the screen shows it for the n-th time. */
  async shows(text: string, times = 1): Promise<void> {
    await until(
      async () => (await this.screen.text()).split(text).length > times,
      async () => `"${text}" is not on the screen:\n${await this.screen.text()}`,
    );
  }

  async message(): Promise<string | undefined> {
    return this.keyboard.message("> ", this.never);
  }

  async answer(signal = this.never): Promise<string | undefined> {
    return this.keyboard.answer("Allow it? ", signal);
  }

  /** Comes back when this was typed and nobody has taken it. */
  async keeps(...texts: string[]): Promise<void> {
    await until(
      () => this.keyboard.left.join("|") === texts.join("|"),
      () => `kept: ${this.keyboard.left.join("|")}`,
    );
  }

  [Symbol.dispose](): void {
    this.keyboard[Symbol.dispose]();
  }
}

beforeEach(() => void vi.stubEnv("TERM", "xterm"));
afterEach(() => void vi.unstubAllEnvs());

describe("a message", () => {
  test.each([
    ["typed", "alpha\r", "alpha"],
    [
      "pasted, whose line ends a terminal sends as Enter",
      "alpha one\rbravo two\r\rcharlie three\r",
      "alpha one\nbravo two\n\ncharlie three",
    ],
    ["pasted with the line ends of Windows", "alpha\r\nbravo\r\n", "alpha\nbravo"],
    ["pasted without an end, and ended by Enter", "alpha\rbravo", "alpha\nbravo", "\r"],
    ["pasted with marks, and ended by Enter", PASTE("alpha\n\nbravo"), "alpha\n\nbravo", "\r"],
    ["pasted with marks and its own end, and ended by Enter", PASTE("alpha\nbravo\n"), "alpha\nbravo", "\r"],
    ["pasted with marks into a line", `say ${PASTE("alpha\nbravo")} now`, "say alpha\nbravo now", "\r"],
  ])("that was %s is whole", async (_, typed, message, end = "") => {
    using terminal = new Terminal();
    const said = terminal.message();
    terminal.type(typed);
    if (end !== "") {
      await terminal.shows(typed.includes("now") ? "now" : "bravo");
      terminal.type(end);
    }
    expect((await said)?.trim()).toBe(message);
  });

  test("that was pasted in many pieces is whole", async () => {
    using terminal = new Terminal();
    const lines = Array.from({ length: 2_000 }, (_, n) => `line ${n}`);
    const said = terminal.message();
    for (let at = 0; at < lines.length; at += 100) {
      terminal.type(`${at === 0 ? "\u001b[200~" : ""}${lines.slice(at, at + 100).join("\n")}\n`);
      await vi.waitFor(() => expect(terminal.input.readableLength).toBe(0));
    }
    terminal.type("\u001b[201~\r");
    expect((await said)?.trim()).toBe(lines.join("\n"));
  });

  test("that comes while nobody waits is kept, in its order, and shown when it is taken", async () => {
    using terminal = new Terminal();
    terminal.type("first\r");
    await terminal.keeps("first");
    terminal.type("\rsecond\r");
    await terminal.keeps("first", "\nsecond");
    expect([await terminal.message(), (await terminal.message())?.trim()]).toEqual(["first", "second"]);
    expect(await terminal.screen.text()).toBe("> first\n> \n  second");
  });

  test("that is empty is none while nobody waits", async () => {
    using terminal = new Terminal();
    terminal.type("\r");
    terminal.type("first\r");
    await vi.waitFor(() => expect(terminal.keyboard.left).toHaveLength(1));
    const [, next] = [await terminal.message(), terminal.message()];
    terminal.type("second\r");
    expect(await next).toBe("second");
  });

  test("that was typed before Ctrl-D or a hang-up is still there; then nothing comes", async () => {
    for (const end of ["\u0004", undefined]) {
      using terminal = new Terminal();
      terminal.type("first\r");
      if (end === undefined) terminal.input.end();
      else terminal.type(end);
      await terminal.keeps("first");
      expect([await terminal.message(), await terminal.message(), await terminal.answer()]).toEqual([
        "first",
        undefined,
        undefined,
      ]);
    }
  });
});

describe("keys", () => {
  /** What is typed, what the message is. */
  test.each([
    ["a backslash before Enter begins another line", "one\\\rtwo\r", "one\ntwo"],
    ["Alt-Enter begins another line", "one\u001b\rtwo\r", "one\ntwo"],
    ["Ctrl-J begins another line", "one\ntwo\r", "one\ntwo"],
    ["Home and End go to the ends of a line", "one\ntwo\u001b[Hx\u001b[F!\r", "one\nxtwo!"],
    ["Up and Down go from line to line", "one\ntwo\u001b[A.\u001b[B?\r", "one.\ntwo?"],
    ["Ctrl-W takes a word, Ctrl-Y gives it back", "one two\u0017three \u0019\r", "one three two"],
    ["Ctrl-U and Ctrl-K take what stands before and behind", "one\u001b[D\u000bx\r", "onx"],
    ["Alt-B and Alt-F go by words", "one two\u001bb\u001bbx\u001bf!\r", "xone! two"],
    ["Backspace takes a whole character, however many codes it has", "a👨‍👩‍👧\u007fé\u007f漢\u007fb\r", "ab"],
    ["arrows pass whole characters", "漢字👍🏽\u001b[D\u001b[Dx\r", "漢x字👍🏽"],
    ["right-to-left text is edited in its own order", "שלום\u001b[D\u001b[Dא\r", "שלאום"],
    ["other control keys are no text", "a\u0000\u001c\u0002b\u001b[15~\r", "ba"],
  ])("%s", async (_, typed, message) => {
    using terminal = new Terminal();
    const said = terminal.message();
    terminal.type(typed);
    expect(await said).toBe(message);
  });

  test("Tab completes the only candidate, else what all share, and lists them", async () => {
    const complete = (before: string) => (before.startsWith("/") ? ["/session", "/save", "/quit"] : []);
    using terminal = new Terminal({ complete });
    const said = terminal.message();
    terminal.type("/s\t");
    await terminal.shows("/session  /save");
    terminal.type("av\t now\r");
    expect(await said).toBe("/save  now");
    expect(await terminal.screen.text()).toBe("> /save  now");
  });

  test("the history goes back with Up, and Ctrl-R searches it", async () => {
    const history = new History();
    for (const entry of ["ask about workerd", "ask about SQLite", "thanks"]) history.add(entry);
    using terminal = new Terminal({ history });
    const first = terminal.message();
    terminal.type("\u001b[A\u001b[A\u001b[B!\r");
    expect(await first).toBe("thanks!");
    const second = terminal.message();
    terminal.type("\u0012about");
    await terminal.shows("(search: about) ask about SQLite");
    terminal.type("\u0012");
    await terminal.shows("(search: about) ask about workerd");
    terminal.type("\r");
    expect(await second).toBe("ask about workerd");
  });

  test("a search that is given up leaves the line as it was", async () => {
    using terminal = new Terminal({ history: new History() });
    const said = terminal.message();
    terminal.type("draft\u0012zz");
    await terminal.shows("(not found: zz)");
    terminal.type("\u0007!\r");
    expect(await said).toBe("draft!");
  });

  test("a question is answered without history, completion or further lines", async () => {
    const history = new History();
    history.add("yes");
    using terminal = new Terminal({ history, complete: () => ["yes"] });
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    terminal.type("\u001b[A\t\u0012n\\\r");
    expect(await answer).toBe("n\\");
    expect(history.entries).toEqual(["yes"]);
  });
});

test("a question that is longer than the screen is wide is asked whole", async () => {
  using terminal = new Terminal({}, 24);
  const answer = terminal.keyboard.answer("Please type yes or no. Allow it? [y/n] ", terminal.never);
  await terminal.shows("Allow it?");
  terminal.type("yes");
  await terminal.shows("yes");
  expect(await terminal.screen.text()).toBe("Please type yes or no. \n  Allow it? [y/n] yes");
  terminal.type("\r");
  expect(await answer).toBe("yes");
});

describe.each([20, 60, 80, 120])("at %i columns", (columns) => {
  test.each([
    ["long words", "a".repeat(150)],
    ["wide characters", "漢字かな".repeat(12)],
    ["emoji of several parts", "👨‍👩‍👧 🇩🇪 👍🏽 ".repeat(5)],
    ["right-to-left text", "שלום עולם ".repeat(15)],
    ["marks above letters", "e\u0301a\u0308".repeat(60)],
  ])("%s wrap, and the cursor stands where the next letter goes", async (_, text) => {
    using terminal = new Terminal({}, columns);
    const said = terminal.message();
    terminal.type(text);
    await terminal.shows([...text.trim()].at(-1) ?? "");
    for (let step = 0; step < 5; step += 1) terminal.type("\u001b[D");
    terminal.type("^");
    await terminal.shows("^");
    expect((await terminal.screen.beforeCursor()).trimEnd()).toMatch(/\^$/);
    const rows = await terminal.screen.rows();
    expect(rows[0]).toMatch(/^> /);
    expect(rows.slice(1).every((row) => row.startsWith("  "))).toBe(true);
    terminal.type("\r");
    expect((await said)?.replace("^", "")).toBe(text);
  });
});

describe("an answer", () => {
  test("is nothing that was pasted: that is the next message", async () => {
    using terminal = new Terminal();
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    terminal.type(`${PASTE("y\r")}\r`);
    expect(await answer).toBe("");
    expect(terminal.keyboard.left).toEqual(["y\n"]);
  });

  test("is not the rest of a paste that began before the question", async () => {
    using terminal = new Terminal();
    terminal.type("\u001b[200~alpha\r");
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    terminal.type("y\r\u001b[201~no\r");
    expect(await answer).toBe("no");
    expect(terminal.keyboard.left).toEqual(["alpha\n\ny\n"]);
  });

  test("is not what was typed before the question; that stays as the next message", async () => {
    using terminal = new Terminal();
    terminal.type("y\r");
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    expect(await terminal.screen.text()).toContain('Typed before this question, so not an answer to it: "y"');
    terminal.type("no\r");
    expect([await answer, await terminal.message()]).toEqual(["no", "y"]);
  });

  test("is not completed by what stood in the line before the question", async () => {
    using terminal = new Terminal();
    terminal.type("pay it, ye");
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    terminal.type("s\r");
    expect(await answer).toBe("s");
    const message = terminal.message();
    await terminal.shows("> pay it, ye");
    terminal.type("s, later\r");
    expect(await message).toBe("pay it, yes, later");
  });

  test("is not what comes while the question is being shown: it waits until nobody types", async () => {
    using terminal = new Terminal();
    const answer = terminal.answer();
    terminal.type("y\r");
    await Promise.resolve();
    terminal.type("y\r");
    await terminal.shows("Allow it?");
    terminal.type("n\r");
    expect(await answer).toBe("n");
  });

  test("is not the rest of a paste that a question came upon", async () => {
    using terminal = new Terminal();
    terminal.type("\u001b[200~alpha\nbravo");
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    terminal.type("\u001b[201~no\r");
    expect(await answer).toBe("no");
    const message = terminal.message();
    await terminal.shows("> alpha\n  bravo");
    terminal.type("!\r");
    expect(await message).toBe("alpha\nbravo!");
  });

  test("may hold no control characters of a terminal's keys", async () => {
    using terminal = new Terminal();
    const answer = terminal.answer();
    await terminal.shows("Allow it?");
    terminal.type("\u001b[A\u001b[B\u001b[Cx\u007fyes\u001b[D\r");
    expect(await answer).toBe("yes");
  });

  test("that was begun when the question expired is dropped", async () => {
    using terminal = new Terminal();
    const expiry = new AbortController();
    const answer = terminal.answer(expiry.signal);
    await terminal.shows("Allow it?");
    terminal.type("ye");
    await terminal.shows("ye");
    expiry.abort();
    expect([await answer, terminal.keyboard.left]).toEqual([undefined, []]);
    const message = terminal.message();
    terminal.type("hello\r");
    expect(await message).toBe("hello");
  });

  test("to the first of several questions answers no other, nor does what is typed along with it", async () => {
    using terminal = new Terminal();
    const about = { agent: "payments", tool: "pay", input: {}, reason: "r", expiresAt: Date.now() + 60_000 };
    const approvals: Approval[] = ["ap_1", "ap_2"].map((id) => ({ ...about, id }));
    const io = recordedIo();
    const decided = askForDecisions(approvals, promptOn(terminal.keyboard), io);
    await terminal.shows("Allow it?");
    terminal.type("y\ry\r");
    await terminal.shows("Please type yes or no.");
    terminal.type("y\r");
    await terminal.shows("Allow it?", 3);
    terminal.type("n\r");
    expect(await decided).toEqual([
      { id: "ap_1", decision: "allow" },
      { id: "ap_2", decision: "deny" },
    ]);
    expect(io.notes.map((note) => note.trim().split(" wants", 1)[0])).toEqual(["1 of 2: payments", "2 of 2: payments"]);
  });
});

test("a paste of many lines without marks is whole, and drawn in one go", async () => {
  using terminal = new Terminal();
  const said = terminal.message();
  const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n}`);
  terminal.type(`${lines.join("\r")}\r`);
  expect(await said).toBe(lines.join("\n"));
});

test("Ctrl-C is the process's matter, also while nobody waits for a line", async () => {
  using terminal = new Terminal();
  const interrupted = vi.fn<() => void>();
  process.once("SIGINT", interrupted);
  terminal.type("\u0003");
  await vi.waitFor(() => expect(interrupted).toHaveBeenCalledOnce());
});

test("a terminal that is gone ends what is typed, and one that is let go is not listened to", async () => {
  using terminal = new Terminal();
  const message = terminal.message();
  terminal.input.destroy(new Error("read EIO"));
  expect(await message).toBeUndefined();
  using other = new Terminal();
  other.keyboard[Symbol.dispose]();
  expect(other.input.listenerCount("keypress")).toBe(0);
});

test("a terminal is asked to mark pastes, and no longer when the keyboard is let go; a dumb one never", async () => {
  for (const [term, marks] of [
    ["xterm", ["\u001b[?2004h", "\u001b[?2004l"]],
    ["dumb", []],
  ] as const) {
    vi.stubEnv("TERM", term);
    const terminal = new Terminal();
    const message = terminal.message();
    terminal.type("hello\r");
    expect(await message).toBe("hello");
    terminal[Symbol.dispose]();
    await terminal.shows("hello");
    expect(terminal.screen.raw.match(/\u001b\[\?2004[hl]/g) ?? []).toEqual(marks);
  }
});
