// SPDX-License-Identifier: MIT
// Medusa's in-memory provider, called directly: without the module in front of it, to its favour.
import { Budget, contend, medusa } from "./peer_support.mjs";

const { InMemoryLockingProvider } = medusa("@medusajs/locking/dist/providers/in-memory.js");

async function acquireRelease(milliseconds, acquireArgs, releaseArgs) {
  const locks = new InMemoryLockingProvider();
  const budget = new Budget(milliseconds);
  let pairs = 0;
  for (; !budget.isSpent(); pairs += 1000) {
    for (let i = 0; i < 1000; ++i) {
      await locks.acquire("prod_123", acquireArgs);
      await locks.release("prod_123", releaseArgs);
    }
  }
  return budget.perSecond(pairs);
}

export const memoryCases = {
  "memory-acquire-release": (ms) => acquireRelease(ms),
  "memory-acquire-release-owned": (ms) =>
    acquireRelease(ms, { ownerId: "user_123", expire: 60 }, { ownerId: "user_123" }),
  "memory-execute-10-waiters": (ms) => contend(new InMemoryLockingProvider(), 10, ms),
  "memory-execute-1000-waiters": (ms) => contend(new InMemoryLockingProvider(), 1000, ms),
};
