// The payments agent's ledger and tools: what is paid is paid once.
import { env } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { listPayments, payInvoice } from "../../workers/agents/payments/tools.ts";
import { SILENT } from "../../shared/tracing/tracer.ts";
import { NO_PEERS } from "../support/no-peers.ts";

const PAYMENT = { invoice: "4711", payee: "ACME", amount: 120.1, currency: "EUR" } as const;

function call(idempotencyKey: string) {
  return {
    id: "call",
    idempotencyKey,
    signal: new AbortController().signal,
    agent: "payments",
    config: {},
    env: { ...env },
    contextId: "c",
    taskId: "t",
    artifact: () => {},
    peers: NO_PEERS,
    span: SILENT.start({ name: "test", attributes: {} }),
  };
}

test("a payment whose key came before is not made again: the first receipt is returned, after a restart too", async () => {
  const ledger = env.LEDGER.getByName("once");
  const first = await ledger.pay("key", PAYMENT);
  await evictDurableObject(ledger);
  expect(await ledger.pay("key", { ...PAYMENT, amount: 999 })).toEqual(first);
  expect(await ledger.pay("other key", PAYMENT)).not.toEqual(first);
  expect((await ledger.list(10)).total).toBe(2);
});

test("the list shows the newest payments, oldest first, and how many there are", async () => {
  const ledger = env.LEDGER.getByName("list");
  for (const invoice of ["1", "2", "3"]) await ledger.pay(invoice, { ...PAYMENT, invoice });
  const { total, receipts } = await ledger.list(2);
  expect([total, receipts.map(({ payment }) => payment.invoice)]).toEqual([3, ["2", "3"]]);
});

test("the tool hands its call's key to the ledger, and the list shows what it paid", async () => {
  expect(await listPayments.run({}, call("list"))).toBe("No payment has been made yet.");
  const receipt = "Receipt 1: 120.10 EUR paid to ACME for invoice 4711.";
  expect(await payInvoice.run(PAYMENT, call("pay"))).toBe(receipt);
  expect(await payInvoice.run(PAYMENT, call("pay"))).toBe(receipt);
  expect(await listPayments.run({}, call("list"))).toBe(`1 payment:\n${receipt}`);
});

test.each([
  ["an amount below a cent", { ...PAYMENT, amount: 0.001 }],
  ["a negative amount", { ...PAYMENT, amount: -5 }],
  ["an invoice that is a sentence", { ...PAYMENT, invoice: "the one from last week" }],
  ["a currency that it does not know", { ...PAYMENT, currency: "XYZ" }],
])("%s is refused", async (_, input) => {
  await expect(payInvoice.run(input, call("refused"))).rejects.toThrow(/does not fit its schema/);
});
