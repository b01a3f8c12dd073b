// Divides documents into groups that fit one request, and compares two lists of documents.

/** Most documents, and most bytes, of one request. A larger document goes alone. */
export const MAX_FILES = 200;
export const MAX_BYTES = 1024 * 1024;

/** The documents in groups within the limits; their order stays. */
export function batches<Item extends { readonly bytes: number }>(items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  let group: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (group.length > 0 && (group.length === MAX_FILES || bytes + item.bytes > MAX_BYTES)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(item);
    bytes += item.bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

export interface Known {
  readonly path: string;
  readonly hash: string;
}

/** Documents to send, and paths to remove, so that `there` becomes equal to `here`. */
export function difference<Item extends Known>(here: readonly Item[], there: readonly Known[]) {
  const known = new Map(there.map(({ path, hash }) => [path, hash]));
  const wanted = new Set(here.map(({ path }) => path));
  return {
    send: here.filter(({ path, hash }) => known.get(path) !== hash),
    remove: there.map(({ path }) => path).filter((path) => !wanted.has(path)),
  };
}
