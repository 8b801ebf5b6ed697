// SPDX-License-Identifier: MIT
// The peers' side of tests/bench/run: answers "CASE MILLISECONDS" lines with a number each.
import { createInterface } from "node:readline";
import { hotKeyCases, hotKeyWorker } from "./hot_key_peer.mjs";
import { memoryCases } from "./memory_peer.mjs";
import { postgresCases } from "./postgres_peer.mjs";
import { redisCases } from "./redis_peer.mjs";

if (process.argv[2] === "--hot-key-worker") {
  await hotKeyWorker(...process.argv.slice(3));
  process.exit(0);
}
const cases = { ...memoryCases, ...redisCases, ...hotKeyCases, ...postgresCases };
for await (const line of createInterface({ input: process.stdin })) {
  const [name, milliseconds] = line.split(" ");
  console.log(await cases[name](Number(milliseconds)));
}
process.exit(0); // whatever the packages still wait for
