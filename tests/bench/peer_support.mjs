// SPDX-License-Identifier: MIT
import { createRequire } from "node:module";

// Medusa's packages are pinned and installed in tests/interop.
export const medusa = createRequire(new URL("../interop/package.json", import.meta.url));

// How long a case goes on before it counts.
export class Budget {
  constructor(milliseconds) {
    this.start = performance.now();
    this.end = this.start + milliseconds;
  }

  isSpent() {
    return performance.now() >= this.end;
  }

  perSecond(count) {
    return count / ((performance.now() - this.start) / 1000);
  }
}

// `waiters` that run an empty job under one key and get back in line as soon as they had their turn.
export async function contend(locks, waiters, milliseconds) {
  await locks.acquire("prod_123"); // held while they line up
  const budget = new Budget(milliseconds);
  let jobs = 0;
  const worker = async () => {
    while (!budget.isSpent()) {
      await locks.execute("prod_123", async () => {}, { timeout: 60 });
      ++jobs;
    }
  };
  const workers = Array.from({ length: waiters }, worker);
  await locks.release("prod_123");
  await Promise.all(workers);
  return budget.perSecond(jobs);
}
