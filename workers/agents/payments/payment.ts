// A payment: the input of pay_invoice, and the receipt from the ledger.
import * as z from "zod";

export const Payment = z.object({
  invoice: z
    .string()
    .regex(/^[A-Za-z0-9][\w./-]{0,39}$/, "an invoice's number is up to 40 letters, digits and ./-_")
    .describe("Number of the invoice"),
  payee: z.string().trim().min(1).max(100).describe("Who gets the money"),
  amount: z.number().positive().max(1_000_000).multipleOf(0.01).describe("How much, as a number"),
  currency: z.enum(["EUR", "USD", "GBP", "CHF"]),
});
export type Payment = Readonly<z.infer<typeof Payment>>;

export interface Receipt {
  /** From 1. */
  readonly number: number;
  readonly payment: Payment;
}
