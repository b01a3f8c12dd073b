// The tools of the payments agent: one writes to the ledger, one reads it.
import * as z from "zod";
import { ownObject } from "#shared/durable/own-object.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import type { Ledger } from "./ledger.ts";
import { Payment, type Receipt } from "./payment.ts";

const MOST_LISTED = 50;

export const payInvoice = defineTool({
  name: "pay_invoice",
  description:
    "Pays one invoice or bill: transfers the money to the payee and settles it for good. Returns the receipt. Call it once an invoice.",
  input: Payment,
  // Safe to repeat in a later life: the ledger recognises the key.
  annotations: { readOnly: false, idempotent: true },
  async run(payment, { env, idempotencyKey }) {
    return writeReceipt(await ledgerOf(env).pay(idempotencyKey, payment));
  },
});

export const listPayments = defineTool({
  name: "list_payments",
  description: "Lists the payments in the ledger: which invoices were paid, to whom, how much. Changes nothing.",
  input: z.object({}),
  annotations: { readOnly: true, idempotent: true },
  async run(_, { env }) {
    const { total, receipts } = await ledgerOf(env).list(MOST_LISTED);
    if (total === 0) return "No payment has been made yet.";
    const left = total - receipts.length;
    const more = left > 0 ? [`… and ${left} older ones`] : [];
    return [`${total} ${total === 1 ? "payment" : "payments"}:`, ...receipts.map(writeReceipt), ...more].join("\n");
  },
});

function ledgerOf(env: object): DurableObjectStub<Ledger> {
  return ownObject<Ledger>(env, "LEDGER", "ledger");
}

function writeReceipt({ number, payment: { amount, currency, payee, invoice } }: Receipt): string {
  return `Receipt ${number}: ${amount.toFixed(2)} ${currency} paid to ${payee} for invoice ${invoice}.`;
}
