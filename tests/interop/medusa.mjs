// SPDX-License-Identifier: MIT
// medusa.mjs URL [CONNECTIONS]: Medusa's provider for Redis or PostgreSQL, told by JSON lines what to
// do. Says `{ready}` first, then to every call `{id, result}` or `{id, error}`, and `{id, event}`
// when a job has started or was told that its lock is lost.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

if (parseInt(process.versions.node) < 20) throw new Error(`This is Node ${process.versions.node}.`);

const [url, connections] = process.argv.slice(2);
const { open } = await import(
  url.startsWith("redis:") ? "./medusa_redis.mjs" : "./medusa_postgres.mjs");
const { locks, leaveTrail, read, write } = await open(url, Number(connections) || undefined);
const say = (line) => console.log(JSON.stringify(line));

const ends = new Map(); // of the jobs that run

// Holds its locks for a while, or until it is told to end, or that they are lost.
async function hold({ id, milliseconds }, lost) {
  await leaveTrail("medusa in");
  say({ id, event: "started" });
  try {
    await Promise.race([
      sleep(milliseconds, undefined, { signal: lost }),
      new Promise((end) => ends.set(id, end)),
    ]);
  } catch {
    say({ id, event: "aborted" });
  }
  await leaveTrail("medusa out");
  return "held";
}

// Loses a count if anyone counts at the same time.
async function increment(counter) {
  const count = await read(counter);
  await sleep(Math.random());
  await write(counter, count + 1);
  await leaveTrail("medusa");
}

const calls = {
  acquire: ({ keys, options }) => locks.acquire(keys, options),
  release: ({ keys, options }) => locks.release(keys, options),
  releaseAll: ({ options }) => locks.releaseAll(options),
  end: ({ job }) => ends.get(job)(),
  execute: (call) => locks.execute(call.keys, (lost) => hold(call, lost), call.options),
  async count({ keys, counter, times, options, pause = 30 }) {
    const job = () => increment(counter);
    for (let i = 0; i < times; ++i) {
      await (keys ? locks.execute(keys, job, options) : job());
      await sleep(Math.random() * pause); // so that all get their turns
    }
  },
  // Of its advisory locks. A key is a list of UTF-16 units: one alone of a pair is no JSON.
  hash: ({ keys }) => keys.map((units) => locks.hashStringToInt(String.fromCharCode(...units))),
};

async function answer(call) {
  try {
    say({ id: call.id, result: (await calls[call.call](call)) ?? null });
  } catch (error) {
    say({ id: call.id, error: error.message });
  }
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) answer(JSON.parse(line));
process.exit();
