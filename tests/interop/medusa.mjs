// SPDX-License-Identifier: MIT
// medusa.mjs PORT: Medusa's Redis provider over ioredis, as its loader makes them, told by JSON
// lines what to do. Says `{ready}` first, then to every call `{id, result}` or `{id, error}`, and
// `{id, event}` when a job has started or was told that its lock is lost.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

if (parseInt(process.versions.node) < 20) throw new Error(`This is Node ${process.versions.node}.`);

const medusa = createRequire(new URL("package.json", import.meta.url));
const { RedisLockingProvider } = medusa("@medusajs/locking-redis/dist/services/redis-lock.js");
const { Redis } = medusa("ioredis");

const redis = new Redis({ host: "127.0.0.1", port: Number(process.argv[2]) });
// It polls: at most so many milliseconds apart, or whoever comes late would hardly get a turn.
const locks = new RedisLockingProvider({ redisClient: redis }, { maximumRetryInterval: 40 });
const say = (line) => console.log(JSON.stringify(line));

// Holds its locks for a while, or until it is told that they are lost.
async function hold({ id, milliseconds }, lost) {
  await redis.rpush("trail", "medusa in");
  say({ id, event: "started" });
  try {
    await sleep(milliseconds, undefined, { signal: lost });
  } catch {
    say({ id, event: "aborted" });
  }
  await redis.rpush("trail", "medusa out");
  return "held";
}

// Loses a count if anyone counts at the same time.
async function increment(counter) {
  const count = Number(await redis.get(counter));
  await sleep(Math.random());
  await redis.set(counter, count + 1);
  await redis.rpush("trail", "medusa");
}

const calls = {
  acquire: ({ keys, options }) => locks.acquire(keys, options),
  release: ({ keys, options }) => locks.release(keys, options),
  releaseAll: ({ options }) => locks.releaseAll(options),
  execute: (call) => locks.execute(call.keys, (lost) => hold(call, lost), call.options),
  async count({ keys, counter, times, options }) {
    const job = () => increment(counter);
    for (let i = 0; i < times; ++i) {
      await (keys ? locks.execute(keys, job, options) : job());
      await sleep(Math.random() * 30); // so that all get their turns
    }
  },
};

async function answer(call) {
  try {
    say({ id: call.id, result: (await calls[call.call](call)) ?? null });
  } catch (error) {
    say({ id: call.id, error: error.message });
  }
}

await redis.ping();
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) answer(JSON.parse(line));
process.exit();
