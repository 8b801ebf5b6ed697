// SPDX-License-Identifier: MIT
// The same as hot_key_cases.cpp with Medusa's Redis provider.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { medusa } from "./peer_support.mjs";

const { RedisLockingProvider } = medusa("@medusajs/locking-redis/dist/services/redis-lock.js");
const { Redis } = medusa("ioredis");
const url = process.env.LOCKBOARD_BENCH_REDIS;

const jobLength = 5;
const jobCount = 200;
const now = () => Number(process.hrtime.bigint()) / 1e6; // the machine's monotonic clock

async function turnsOfProcess(waiters, jobs) {
  const client = new Redis(url);
  const locks = new RedisLockingProvider({ redisClient: client }, {});
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
    commands: commands / turns.length,
  };
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
