// The payments agent: pays invoices from a made-up account, as an example of an action that must not happen by mistake
// or twice.
import * as z from "zod";
import { defineAgent } from "#shared/agent/define-agent.ts";
import { listPayments, payInvoice } from "./tools.ts";

const agent = defineAgent({
  name: "Payments Agent",
  description: "Pays invoices and keeps the ledger of all payments.",
  instructions: `You pay invoices and say which ones were paid.

- Call pay_invoice with exactly what you were told. Where the number, the payee or the amount is missing, ask for it instead.
- Call it once an invoice. If it was refused, say so and do not try again.
- Answer with the receipt as the tool returned it.`,
  skills: [
    {
      id: "pay_invoice",
      name: "Pay an invoice",
      description: "Pays an invoice and returns a receipt",
      tags: ["payments", "invoices"],
      examples: ["Pay invoice 4711 over 120 EUR to ACME"],
    },
    {
      id: "list_payments",
      name: "List payments",
      description: "Says which invoices were paid",
      tags: ["payments", "ledger"],
      examples: ["Which payments were made?"],
    },
  ],
  config: z.object({}),
  tools: [payInvoice, listPayments],
});

export default agent.worker;
export const { Session, Beacon, SessionIndex } = agent.objects;
export { Ledger } from "./ledger.ts";
