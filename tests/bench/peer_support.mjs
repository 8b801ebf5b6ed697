// SPDX-License-Identifier: MIT
export { medusa } from "../interop/packages.mjs";

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

export async function acquireRelease(locks, depth, milliseconds) {
  const budget = new Budget(milliseconds);
  let pairs = 0;
  const caller = async (_, i) => {
    for (; !budget.isSpent(); ++pairs) {
      await locks.acquire(`prod_${i}`, { ownerId: "user_123", expire: 60 });
      await locks.release(`prod_${i}`, { ownerId: "user_123" });
    }
  };
  await Promise.all(Array.from({ length: depth }, caller));
  return budget.perSecond(pairs);
}

// One key that everybody wants, as in turns.cpp.
export const jobCount = 200;
const jobLength = 5;
export const now = () => Number(process.hrtime.bigint()) / 1e6; // the machine's monotonic clock

// Of waiters in one process, each in line again as soon as it had its turn.
export async function takeTurns(locks, waiters, jobs) {
  const turns = [];
  const waiter = async () => {
    for (let i = 0; i < Math.floor(jobs / waiters); ++i) {
      const turn = { queued: now() };
      await locks.execute("prod_123", async () => {
        turn.began = now();
        await new Promise((resolve) => setTimeout(resolve, jobLength));
        turn.ended = now();
      }, { timeout: 600 });
      turns.push(turn);
    }
  };
  await Promise.all(Array.from({ length: waiters }, waiter));
  return turns;
}

export function figures(turns, waiters) {
  turns.sort((a, b) => a.began - b.began);
  const handOvers = turns.slice(1)
    .map((turn, i) => ({ turn, before: turns[i] }))
    .filter(({ turn, before: last }) => turn.queued < last.ended)
    .map(({ turn, before: last }) => turn.began - last.ended)
    .sort((a, b) => a - b);
  const running = turns.reduce((sum, turn) => sum + turn.ended - turn.began, 0);
  const at = (quantile) => handOvers[Math.floor(quantile * (handOvers.length - 1))];
  return {
    efficiency: 100 * running / (turns.at(-1).ended - turns[0].began),
    p50: at(0.5),
    p99: at(0.99),
    "longest-wait":
      Math.max(...turns.map((turn) => turn.began - turn.queued)) / (waiters * jobLength),
  };
}
