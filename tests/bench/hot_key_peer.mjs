// SPDX-License-Identifier: MIT
// The same as hot_key_cases.cpp with Medusa's Redis provider.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { figures, jobCount, medusa, now, takeTurns } from "./peer_support.mjs";

const { RedisLockingProvider } = medusa("@medusajs/locking-redis/dist/services/redis-lock.js");
const { Redis } = medusa("ioredis");
const url = process.env.LOCKBOARD_BENCH_REDIS;

async function turnsOfProcess(waiters, jobs) {
  const client = new Redis(url);
  const locks = new RedisLockingProvider({ redisClient: client }, {});
  const turns = await takeTurns(locks, waiters, jobs);
  await client.quit();
  return turns;
}

async function turnsOfProcesses(processes, waiters) {
  const peer = fileURLToPath(new URL("peer.mjs", import.meta.url));
  const worker = () => promisify(execFile)(process.execPath,
    [peer, "--hot-key-worker", waiters / processes, jobCount / processes]);
  const outputs = await Promise.all(Array.from({ length: processes }, worker));
  return outputs.flatMap(({ stdout }) => JSON.parse(stdout));
}

export async function hotKeyWorker(waiters, jobs) {
  console.log(JSON.stringify(await turnsOfProcess(Number(waiters), Number(jobs))));
}

async function run(processes, waiters) {
  const client = new Redis(url);
  const commandsSoFar = async () =>
    Number((await client.info("stats")).match(/total_commands_processed:(\d+)/)[1]);
  await client.flushall();
  const before = await commandsSoFar();
  const turns = processes === 1
    ? await turnsOfProcess(waiters, jobCount) : await turnsOfProcesses(processes, waiters);
  const commands = (await commandsSoFar()) - before;
  await client.quit();
  return { ...figures(turns, waiters), commands: commands / turns.length };
}

async function takeover() {
  const client = new Redis(url);
  await client.flushall();
  await client.eval(
    "for i = 1, 200000 do redis.call('SET', 'other_' .. i, 1, 'PX', 600000 + i) end", 0);
  const locks = new RedisLockingProvider({ redisClient: client }, {});
  const before = now();
  await client.set("medusa_lock:prod_123", "killed", "PX", 700);
  let granted;
  await locks.execute("prod_123", async () => { granted = now(); }, { timeout: 60 });
  await client.quit();
  return granted - (before + 700);
}

const layouts = [["2", 1, 2], ["10", 1, 10], ["50", 1, 50], ["48-in-4-processes", 4, 48]];
const metrics = ["efficiency", "p50", "p99", "longest-wait", "commands"];
export const hotKeyCases = { "redis-takeover-beside-200k": takeover };
Object.assign(hotKeyCases, Object.fromEntries(layouts.flatMap(([name, processes, waiters]) =>
  metrics.map((metric) => [
    `redis-hot-key-${name}-${metric}`, async () => (await run(processes, waiters))[metric],
  ]))));
