// The tables of a Durable Object: opens them with the first use, and writes to them in transactions.
import { type Migration, migrate } from "./migrations.ts";

export class Tables<Rows> {
  readonly #storage: DurableObjectStorage;
  readonly #migrations: readonly Migration[];
  readonly #open: (sql: SqlStorage) => Rows;
  #opened: { readonly rows: Rows } | undefined;

  /** `open` makes the objects that read and write the tables; it runs again after a transaction that failed. */
  constructor(storage: DurableObjectStorage, migrations: readonly Migration[], open: (sql: SqlStorage) => Rows) {
    this.#storage = storage;
    this.#migrations = migrations;
    this.#open = open;
  }

  /** Brings the tables to the newest schema with the first use. Throws what `migrate` throws. */
  get rows(): Rows {
    if (!this.#opened) {
      migrate(this.#storage.sql, this.#migrations);
      this.#opened = { rows: this.#open(this.#storage.sql) };
    }
    return this.#opened.rows;
  }

  /**
   * Commits all that `work` writes, or nothing when it throws. Memory of what was undone, the schema included, is
   * dropped.
   */
  transaction<Result>(work: (rows: Rows) => Result): Result {
    try {
      return this.#storage.transactionSync(() => work(this.rows));
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }
}
