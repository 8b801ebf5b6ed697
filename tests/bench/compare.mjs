// SPDX-License-Identifier: MIT
// compare.mjs OURS [CASE...] [--json FILE]: measures our cases and the peers' in turns, in the same
// run on the same machine, and prints the medians: one JSON object a line and case.
import { spawn, execFileSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const rounds = 7;
const milliseconds = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" } },
});
const [ours, ...prefixes] = positionals;

const cases = execFileSync(ours, ["--list"], { encoding: "utf8" })
  .trim().split("\n").map((line) => line.split(" "))
  .filter(([name]) => !prefixes.length || prefixes.some((prefix) => name.startsWith(prefix)));
if (!cases.length) {
  console.error(`No case begins with ${prefixes.join(" or ")}.`);
  process.exit(64);
}

// A program that answers "CASE MILLISECONDS" with a number, line by line.
class Contestant {
  constructor(command, args, environment = {}) {
    this.name = [command, ...args].join(" ");
    this.process = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...environment },
    });
    this.answers = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async ask(question) {
    this.process.stdin.write(`${question}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`${this.name} gave no answer to ${question}`);
    return value;
  }

  async measure(name) {
    const measured = Number(await this.ask(`${name} ${milliseconds}`));
    if (!(measured > 0)) throw new Error(`${this.name} measured nothing for ${name}`);
    return measured;
  }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const rounded = (number) => Number(number.toPrecision(4));

const us = new Contestant(ours, []);
// Both use one server.
const urlOf = async (kind) =>
  cases.some(([name]) => name.startsWith(`${kind}-`)) ? await us.ask(`${kind}-url 0`) : "";
const peer = new Contestant(
  process.execPath, [fileURLToPath(new URL("peer.mjs", import.meta.url))],
  { LOCKBOARD_BENCH_REDIS: await urlOf("redis"), LOCKBOARD_BENCH_POSTGRES: await urlOf("postgres") },
);
try {
  if (values.json) writeFileSync(values.json, "");
  for (const [name, unit, ownRounds, ownPeer] of cases) {
    const measured = { us: [], peer: [] };
    const measurePeer = () => (ownPeer ? us.measure(`peer:${name}`) : peer.measure(name));
    await us.measure(name); // the first round of each is for the caches and the JIT
    await measurePeer();
    for (let round = 0; round < (Number(ownRounds) || rounds); ++round) {
      measured.us.push(await us.measure(name));
      measured.peer.push(await measurePeer());
    }
    const mine = median(measured.us);
    const theirs = median(measured.peer);
    const line = JSON.stringify({
      case: name, unit, ours: rounded(mine), peer: rounded(theirs), ratio: rounded(mine / theirs),
    });
    console.log(line);
    if (values.json) appendFileSync(values.json, line + "\n");
  }
} finally {
  us.process.stdin.end();
  peer.process.stdin.end();
}
