// What the offline model takes out of a request to pay: number, payee, amount and currency, however they are put.
import { expect, test } from "vitest";
import * as z from "zod";
import { Payment } from "../../../workers/agents/payments/payment.ts";
import { fillArguments } from "../../../workers/offline-model/calls/arguments.ts";
import { decide } from "../../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../../workers/offline-model/api/request.ts";

const SCHEMA = z.toJSONSchema(Payment, { io: "input" });
const INVOICE = { invoice: "4711", payee: "ACME", amount: 120, currency: "EUR" };

test.each([
  ["Pay invoice 4711 over 120 EUR to ACME", INVOICE],
  ["Please pay ACME 120 EUR for invoice 4711.", INVOICE],
  ["Pay 120 EUR to ACME for invoice no. 4711", INVOICE],
  ["please transfer €120 to acme, invoice #4711", { ...INVOICE, payee: "acme" }],
  ["I want to settle the invoice 4711 from ACME: 120 euros", INVOICE],
  ["Invoice 4711 of ACME over 120.00 EUR has to be paid", INVOICE],
  ["Please settle the bill 4711 from ACME, 120 EUR", INVOICE],
  [
    "Pay $1,200.50 to Smith & Sons for invoice INV-2026/17",
    { invoice: "INV-2026/17", payee: "Smith & Sons", amount: 1200.5, currency: "USD" },
  ],
])("%s", (question, input) => {
  expect(fillArguments(SCHEMA, { question })).toEqual(input);
});

test("a tool is not called without what it needs in its form", () => {
  const name = "pay_invoice";
  const ask = (content: string) =>
    decide(
      MessagesRequest.parse({
        model: "offline",
        max_tokens: 1024,
        messages: [{ role: "user", content }],
        tools: [{ name, description: "Pays one invoice.", input_schema: SCHEMA }],
      }),
    );
  expect(ask("What did we pay?")).toMatchObject({ text: expect.stringContaining("There is no tool or text here") });
  expect(ask("Pay invoice 4711")).toMatchObject({
    text: expect.stringContaining("does not say: payee, amount, currency"),
  });
  expect(ask("Pay invoice 4711 over 120 EUR to ACME")).toEqual({ calls: [{ name, input: INVOICE }] });
});
