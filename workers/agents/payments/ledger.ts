// The ledger: a Durable Object that books each payment once.
import { DurableObject } from "cloudflare:workers";
import { Tables } from "#shared/durable/tables.ts";
import { Payment, type Receipt } from "./payment.ts";

const MIGRATIONS = [
  `CREATE TABLE payment (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     key TEXT NOT NULL UNIQUE,
     invoice TEXT NOT NULL,
     payee TEXT NOT NULL,
     cents INTEGER NOT NULL,
     currency TEXT NOT NULL,
     paid_at INTEGER NOT NULL
   )`,
] as const;

type Row = { number: number; invoice: string; payee: string; cents: number; currency: string };

export class Ledger extends DurableObject {
  readonly #tables = new Tables(this.ctx.storage, MIGRATIONS, (sql) => sql);

  /** Books the payment and returns the receipt. A repeated key books nothing, and returns the first receipt. */
  pay(key: string, { invoice, payee, amount, currency }: Payment): Receipt {
    const insert = `INSERT INTO payment (key, invoice, payee, cents, currency, paid_at) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (key) DO NOTHING`;
    this.#sql.exec(insert, key, invoice, payee, Math.round(amount * 100), currency, Date.now());
    return toReceipt(this.#sql.exec<Row>("SELECT * FROM payment WHERE key = ?", key).one());
  }

  /** The number of all payments, and the last `limit` of them, oldest first. */
  list(limit: number): { total: number; receipts: Receipt[] } {
    const { total } = this.#sql.exec<{ total: number }>("SELECT count(*) AS total FROM payment").one();
    const rows = this.#sql.exec<Row>("SELECT * FROM payment ORDER BY number DESC LIMIT ?", limit).toArray();
    return { total, receipts: rows.toReversed().map(toReceipt) };
  }

  get #sql(): SqlStorage {
    return this.#tables.rows;
  }
}

function toReceipt({ number, cents, invoice, payee, currency }: Row): Receipt {
  return { number, payment: Payment.parse({ invoice, payee, currency, amount: cents / 100 }) };
}
