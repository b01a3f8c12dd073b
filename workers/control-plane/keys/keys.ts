// The keys of one job: who may ask its agents and read its control plane. Holds hashes, never a key.
import { DurableObject } from "cloudflare:workers";
import type { Account, Key, NewKey } from "#shared/control-plane/keys.ts";
import { Tables } from "#shared/durable/tables.ts";
import type { Env } from "../env.ts";
import type { KeysRpc } from "../rpc.ts";
import { KeyRows, MIGRATIONS } from "./key-rows.ts";

export class Keys extends DurableObject<Env> implements KeysRpc {
  readonly #tables = new Tables(this.ctx.storage, MIGRATIONS, (sql) => new KeyRows(sql));

  /** Remembers a key by its hash. */
  create(hash: string, wanted: NewKey): Key | "taken" | "full" {
    const now = Date.now();
    return this.#tables.transaction((rows) => {
      if (rows.counts(wanted.name, now)) return "taken";
      return rows.makeRoom(now) ? rows.add(hash, wanted, now) : "full";
    });
  }

  /** By name, the newest first among keys of one name. */
  list(): Key[] {
    return this.#tables.rows.list();
  }

  /** May be repeated. Returns whether there is such a key, revoked or not. */
  revoke(name: string): boolean {
    return this.#tables.rows.revoke(name, Date.now());
  }

  /** What the key of this hash allows; undefined where none counts. */
  check(hash: string): Account | undefined {
    return this.#tables.rows.account(hash, Date.now());
  }
}
