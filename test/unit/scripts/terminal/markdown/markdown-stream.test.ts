// Markdown as it stands on the screen, whole and while it is written.
import { describe, expect, test } from "vitest";

import { MarkdownStream } from "../../../../../scripts/terminal/markdown/markdown-stream.ts";
import { paints } from "../../../../../scripts/terminal/screen.ts";

function streamOf(width = 60, colours = false): MarkdownStream {
  return new MarkdownStream(() => ({ width, colours, strict: false, paint: paints({ colours }) }));
}

/** All lines of the text, taken in pieces of `size` characters. */
function shown(text: string, { size = text.length, width = 60, colours = false } = {}): string {
  const stream = streamOf(width, colours);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += size) lines.push(...stream.take(text.slice(at, at + size)));
  return [...lines, ...stream.end()].join("\n");
}

const DOCUMENT = `# Durable *Objects*
A paragraph with **bold**, \`code & more\`, a [link](https://example.org/a) and https://example.org, that is longer than the screen is wide.
It keeps its lines &amp; sources:
[1] jobs/corpus/a.md
[2] jobs/corpus/b.md

- one
- two
  - inner with a text that is long enough to be wrapped at the width of the screen
- [x] done

3. three
4. four

> a quote
> of two lines

| name | size |
| :--- | ---: |
| a | 1 |
| long **name** | 1000 |

\`\`\`js
const a  =   1;

if (a) b();
\`\`\`

***
The end`;

test("blocks are laid out at the width, with an empty line between them", () => {
  expect(shown(DOCUMENT)).toMatchInlineSnapshot(`
    "# Durable Objects

    A paragraph with bold, \`code & more\`, a link
    (https://example.org/a) and https://example.org, that is
    longer than the screen is wide.
    It keeps its lines & sources:
    [1] jobs/corpus/a.md
    [2] jobs/corpus/b.md

    • one
    • two
      • inner with a text that is long enough to be wrapped at
        the width of the screen
    ☑ done

    3. three
    4. four

    │ a quote
    │ of two lines

    name      │ size
    ──────────┼─────
    a         │    1
    long name │ 1000

      const a  =   1;

      if (a) b();

    ────────────────────────────────────────────────────────────

    The end"
  `);
});

test.each([1, 2, 3, 7, 50])("in pieces of %i characters it looks as it does whole", (size) => {
  expect(shown(DOCUMENT, { size })).toBe(shown(DOCUMENT));
  expect(shown(DOCUMENT, { size, colours: true })).toBe(shown(DOCUMENT, { colours: true }));
});

test("a table that is wider than the screen becomes a list of its cells", () => {
  expect(shown("| name | what it is |\n| - | - |\n| a | something long that does not fit |\n| b | x |", { width: 24 }))
    .toMatchInlineSnapshot(`
    "name: a
    what it is: something
    long that does not fit

    name: b
    what it is: x"
  `);
});

describe("while it is written", () => {
  test("a block is shown for good when it is complete, and in the preview before", () => {
    const stream = streamOf();
    expect([stream.take("Some **wor"), stream.preview(9)]).toEqual([[], ["Some **wor"]]);
    expect([stream.take("ds**\n"), stream.preview(9)]).toEqual([[], ["Some words"]]);
    expect([stream.take("\n- a"), stream.preview(9)]).toEqual([["Some words"], ["", "• a"]]);
    expect([stream.take("\n- b\n"), stream.preview(1)]).toEqual([[], ["• b"]]);
    expect([stream.end(), stream.preview(9)]).toEqual([["", "• a", "• b"], []]);
  });

  test("lines of code are shown for good one by one", () => {
    const stream = streamOf();
    expect(stream.take("```\nlet a;\nlet")).toEqual(["  let a;"]);
    expect(stream.preview(9)).toEqual(["  let"]);
    expect(stream.take(" b;\n```\nafter")).toEqual(["  let b;"]);
    expect(stream.end()).toEqual(["", "after"]);
  });

  test("no line of the preview is wider than the screen", () => {
    const stream = streamOf(20);
    stream.take(`${"x".repeat(50)} ${"漢".repeat(30)}\n\`\`\`\n${"y".repeat(50)}`);
    expect(stream.preview(50).every((line) => line.length <= 20)).toBe(true);
  });

  test("half a character is none yet", () => {
    const stream = streamOf();
    expect(stream.take("a \ud83d")).toEqual([]);
    stream.take("\udc4d b");
    expect(stream.end()).toEqual(["a 👍 b"]);
  });

  test("a list of 20,000 items is not looked at anew for each of them", () => {
    const stream = streamOf();
    for (let line = 0; line < 20_000; line += 1) stream.take(`- item ${line}\n`);
    expect(stream.end()).toHaveLength(20_000);
  });
});

test("no character of the text reaches the terminal as a command", () => {
  const text = "a\u001b[2Jb **c\u009b31md** `e\u0007f` \u202eg\n\n```\n\u001b]52;c;AAAA\u0007\n```\n";
  expect(shown(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test("without colours nothing but text is written, and headings and code keep their marks", () => {
  expect(shown("## A\n`b` **c**")).toBe("## A\n\n`b` c");
});
