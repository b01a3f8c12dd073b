// JSON objects in a stream of text, one after the other and indented: as wrangler prints them.

/** A longer object is left out: an event of a Worker has at most 256 KiB of logs. */
const MOST_CHARS = 2 ** 21;

/** The text of each object. Whatever stands between them is left out. */
export async function* objectsIn(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk;
    // Inside an object each brace is indented, and line ends of texts are escaped.
    for (let end = text.indexOf("\n}\n"); end !== -1; end = text.indexOf("\n}\n")) {
      const start = text.slice(0, end).search(/^\{$/m);
      if (start !== -1) yield text.slice(start, end + 2);
      text = text.slice(end + 3);
    }
    if (text.length > MOST_CHARS) text = "";
  }
}
