// Asks an address without a pause, and on SIGTERM prints the longest time in milliseconds between two answers. usage: gap.ts URL
const [url = ""] = process.argv.slice(2);
let answeredAt = performance.now();
let longest = 0;

process.once("SIGTERM", () => {
  console.log(Math.max(longest, performance.now() - answeredAt));
  process.exit();
});

for (;;) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    const now = performance.now();
    longest = Math.max(longest, now - answeredAt);
    answeredAt = now;
  } catch {
    // Nobody answers.
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
