// What a person sees: the rows of a real terminal emulator.
import xterm from "@xterm/headless";

export class ScreenView {
  readonly #terminal: xterm.Terminal;
  /** Every character that came, escape sequences included. */
  raw = "";

  constructor({ columns = 80, rows = 24 } = {}) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 5_000,
      allowProposedApi: true,
      convertEol: true,
    });
  }

  write(text: string): void {
    this.raw += text;
    this.#terminal.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** All rows, those above the screen included; without empty ones at the end. Resolves when what was written is drawn. */
  async rows(): Promise<string[]> {
    await new Promise<void>((resolve) => this.#terminal.write("", resolve));
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? "");
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** Lines that the terminal broke itself: they are longer than the screen is wide. */
  async brokenLines(): Promise<string[]> {
    const rows = await this.rows();
    const { active } = this.#terminal.buffer;
    return rows.filter((_, row) => active.getLine(row)?.isWrapped === true);
  }

  async text(): Promise<string> {
    return (await this.rows()).join("\n");
  }

  /** The row up to the cursor. */
  async beforeCursor(): Promise<string> {
    await new Promise<void>((resolve) => this.#terminal.write("", resolve));
    const { active } = this.#terminal.buffer;
    return active.getLine(active.baseY + active.cursorY)?.translateToString(false, 0, active.cursorX) ?? "";
  }
}
