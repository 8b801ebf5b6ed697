// SPDX-License-Identifier: MIT
// Medusa's PostgreSQL provider over MikroORM, as its loader makes them, and what medusa.mjs writes
// down: in the tables `trail` and `counters` of the same database.
import { medusa } from "./packages.mjs";

const { PostgresAdvisoryLockProvider } =
  medusa("@medusajs/locking-postgres/dist/services/advisory-lock.js");
const { Locking } = medusa("@medusajs/locking-postgres/dist/models/index.js");
const { mikroOrmCreateConnection, toMikroORMEntity } = medusa("@medusajs/framework/utils");
const { Pool } = medusa("pg");

// Each of its executes keeps a connection of the pool for as long as it waits and runs.
export async function postgresLocks(url, connections) {
  const orm = await mikroOrmCreateConnection(
    { clientUrl: url, pool: { max: connections } }, [toMikroORMEntity(Locking)], "");
  const locks = new PostgresAdvisoryLockProvider({ manager: orm.em.fork() });
  return { locks, close: () => orm.close(true) };
}

export async function open(url, connections = 10) {
  const { locks } = await postgresLocks(url, connections);
  const pool = new Pool({ connectionString: url, max: connections });
  const run = async (sql, ...values) => (await pool.query(sql, values)).rows;
  await run("SELECT 1");
  return {
    locks,
    leaveTrail: (what) => run("INSERT INTO trail (what) VALUES ($1)", what),
    read: async (counter) =>
      (await run("SELECT count FROM counters WHERE name = $1", counter))[0].count,
    write: (counter, count) =>
      run("UPDATE counters SET count = $2 WHERE name = $1", counter, count),
  };
}
