// How much of an answer is kept until it is whole.
import { ModelError } from "./model.ts";

/**
 * Bytes of a line, or of an answer in one piece, which are kept until they are whole. The largest event of an answer that
 * can be stored has fewer.
 */
export const MAX_PIECE = 8 * 1024 * 1024;

export function tooMuch(): ModelError {
  return new ModelError("too_long", "The model sent a line without an end, or too much at once; it was given up.");
}
