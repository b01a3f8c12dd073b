// Keys that end a command which only shows something: q and Ctrl-C.
import { emitKeypressEvents } from "node:readline";

import type { Key } from "./line-editor.ts";

/** Calls `quit` at the key, until it is disposed of. `input` belongs to a terminal. */
export function onQuitKey(input: NodeJS.ReadStream, quit: () => void): Disposable {
  const onKey = (_: string | undefined, { name, ctrl }: Key): void => {
    if (name === "q" || (ctrl && (name === "c" || name === "d"))) quit();
  };
  emitKeypressEvents(input);
  input.on("keypress", onKey);
  input.setRawMode(true);
  input.resume();
  return {
    [Symbol.dispose]: () => {
      input.off("keypress", onKey);
      input.setRawMode(false);
      input.pause();
    },
  };
}
