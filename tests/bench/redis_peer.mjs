// SPDX-License-Identifier: MIT
// Medusa's Redis provider over ioredis, as its loader makes them.
import { Budget, acquireRelease, medusa } from "./peer_support.mjs";

const { RedisLockingProvider } = medusa("@medusajs/locking-redis/dist/services/redis-lock.js");
const { Redis } = medusa("ioredis");

const lockCount = 100_000;
const ownerCount = 10;

async function withServer(measure) {
  const client = new Redis(process.env.LOCKBOARD_BENCH_REDIS);
  try {
    await client.flushall();
    return await measure(new RedisLockingProvider({ redisClient: client }, {}), client);
  } finally {
    await client.quit();
  }
}

const fill = (client, locks = lockCount) => client.eval(
  `for i = 1, ${locks} do redis.call('SET', 'medusa_lock:cart_' .. i,
   'owner_' .. i % ${ownerCount}, 'EX', 3600) end`, 0);

// Medusa has no listing. This is its client at its best: big pages, one pipeline for each.
async function listOnce(client) {
  const locks = [];
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", "medusa_lock:*", "COUNT", 1000);
    const pipeline = client.pipeline();
    for (const key of keys) pipeline.get(key).pttl(key);
    const answers = await pipeline.exec();
    keys.forEach((key, i) =>
      locks.push({ key, owner: answers[2 * i][1], ttl: answers[2 * i + 1][1] }));
    cursor = next;
  } while (cursor !== "0");
  return locks.length;
}

async function list(client, milliseconds) {
  await fill(client);
  const budget = new Budget(milliseconds);
  let seen = 0;
  do {
    seen += await listOnce(client);
  } while (!budget.isSpent());
  return budget.perSecond(seen);
}

async function releaseAllOfOwner(locks, client, count, milliseconds) {
  let taken = 0;
  let released = 0;
  while (taken < milliseconds) {
    await fill(client, count);
    const start = performance.now();
    await locks.releaseAll({ ownerId: "owner_3" });
    taken += performance.now() - start;
    released += count - (await client.dbsize());
  }
  return released / (taken / 1000);
}

export const redisCases = {
  "redis-acquire-release-1": (ms) => withServer((locks) => acquireRelease(locks, 1, ms)),
  "redis-acquire-release-64": (ms) => withServer((locks) => acquireRelease(locks, 64, ms)),
  "redis-list-100k": (ms) => withServer((_, client) => list(client, ms)),
  "redis-release-all-owner": (ms) =>
    withServer((locks, client) => releaseAllOfOwner(locks, client, lockCount, ms)),
  "redis-release-all-owner-of-1m": (ms) =>
    withServer((locks, client) => releaseAllOfOwner(locks, client, 10 * lockCount, ms)),
};
