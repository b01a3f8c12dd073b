// What a person reads of `wrangler dev`: not the lists of bindings at its start, nor that the agents are healthy.
import { stripVTControlCharacters } from "node:util";

import { isAside, reasonIn } from "../project/wrangler-process.ts";

const KEPT = 16_000;
const BEGINS = "Starting local server";
/** The first is asked by the control plane and by this command, the second workerd says of each alarm that an agent takes back. */
const UNREAD = [/ \/\S*\/health 200 /, /NOSENTRY SQLite alarm handler canceled/];

export class WranglerOutput {
  #said = "";
  #hasBegun = false;

  /** The line as a person reads it; undefined for one that tells nothing. */
  read(line: string): string | undefined {
    const plain = stripVTControlCharacters(line).trimEnd();
    this.#said = `${this.#said}${plain}\n`.slice(-KEPT);
    this.#hasBegun ||= plain.includes(BEGINS);
    const isRead = this.#hasBegun && plain !== "" && !isAside(plain) && !UNREAD.some((unread) => unread.test(plain));
    return isRead ? plain : undefined;
  }

  /** Why it has ended, in its own words. */
  get reason(): string {
    return reasonIn(this.#said);
  }
}
