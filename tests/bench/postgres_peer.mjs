// SPDX-License-Identifier: MIT
// Medusa's PostgreSQL provider, over the database that postgres_cases.cpp has made its table in.
import { postgresLocks } from "../interop/medusa_postgres.mjs";
import { acquireRelease, figures, jobCount, medusa, takeTurns } from "./peer_support.mjs";

const { Client } = medusa("pg");
const url = process.env.LOCKBOARD_BENCH_POSTGRES;

// Each of its executes keeps a connection while it waits: all may have one.
const connections = 64;

async function withServer(measure) {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { locks, close } = await postgresLocks(url, connections);
  try {
    await client.query("TRUNCATE locking");
    return await measure(locks, client);
  } finally {
    await client.end();
    await close();
  }
}

// As fill() of postgres_cases.cpp.
const fill = (client, locks) => client.query(
  `INSERT INTO locking SELECT 'cart_' || i, 'owner_' || i % 10, now() + interval '1 hour'
   FROM generate_series(1, ${locks}) i`);

async function secondsToReleaseAll(locks, client, count) {
  await fill(client, count);
  const start = performance.now();
  await locks.releaseAll({ ownerId: "owner_3" });
  return (performance.now() - start) / 1000;
}

const pairs = (callers) => (ms) => withServer((locks) => acquireRelease(locks, callers, ms));

export const postgresCases = {
  "postgres-acquire-release-1": pairs(1),
  "postgres-acquire-release-64": pairs(64),
  "postgres-execute-10-efficiency": () =>
    withServer(async (locks) => figures(await takeTurns(locks, 10, jobCount), 10).efficiency),
  "postgres-release-all-owner-of-1m": () =>
    withServer((locks, client) => secondsToReleaseAll(locks, client, 1_000_000)),
};
