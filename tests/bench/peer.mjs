// SPDX-License-Identifier: MIT
// The peers' side of tests/bench/run: answers "CASE MILLISECONDS" lines with a number each.
import { createInterface } from "node:readline";
import { memoryCases } from "./memory_peer.mjs";
import { redisCases } from "./redis_peer.mjs";

const cases = { ...memoryCases, ...redisCases };
for await (const line of createInterface({ input: process.stdin })) {
  const [name, milliseconds] = line.split(" ");
  console.log(await cases[name](Number(milliseconds)));
}
