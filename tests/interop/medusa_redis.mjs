// SPDX-License-Identifier: MIT
// Medusa's Redis provider over ioredis, as its loader makes them, and what medusa.mjs writes down.
import { medusa } from "./packages.mjs";

const { RedisLockingProvider } = medusa("@medusajs/locking-redis/dist/services/redis-lock.js");
const { Redis } = medusa("ioredis");

export async function open(url) {
  const redis = new Redis(url);
  await redis.ping();
  return {
    // It polls: at most so many milliseconds apart, or whoever comes late would hardly get a turn.
    locks: new RedisLockingProvider({ redisClient: redis }, { maximumRetryInterval: 40 }),
    leaveTrail: (what) => redis.rpush("trail", what),
    read: async (counter) => Number(await redis.get(counter)),
    write: (counter, count) => redis.set(counter, count),
  };
}
