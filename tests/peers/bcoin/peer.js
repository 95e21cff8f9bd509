// bcoin as a peer on regtest, in memory.
//
//   node peer.js PORT [--segwit] [--dial HOST:PORT] [--mine BLOCKS]
//
// It listens at the loopback address, mines so many blocks at first, and says what its tip is whenever that changes:
// "tip HEIGHT HASH". What it reads are orders: "mine BLOCKS". It ends when there is no more to read.
//
// With --segwit witnesses are valid from the first block, as with Core on regtest; otherwise not before miners have
// agreed on them, and bcoin refuses blocks that have any.

"use strict";

const readline = require("readline");
const Logger = require("blgr");
const Network = require("bcoin/lib/protocol/network");
const common = require("bcoin/lib/blockchain/common");
const Chain = require("bcoin/lib/blockchain/chain");
const Miner = require("bcoin/lib/mining/miner");
const Pool = require("bcoin/lib/net/pool");

const words = process.argv.slice(2);
const port = Number(words[0]);
const after = flag => words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined;

const network = Network.get("regtest");
const logger = new Logger({ level: "debug", console: true });
const chain = new Chain({ network, logger, memory: true });
const miner = new Miner({ network, logger, chain });
const pool = new Pool({
  network,
  logger,
  chain,
  memory: true,
  listen: true,
  host: "127.0.0.1",
  port,
  seeds: [],
  only: words.includes("--dial") ? [after("--dial")] : [],
  maxOutbound: 1,
  // Compact blocks want a mempool.
  compact: false,
});
// Nothing but what it is told to dial: no name server is asked for its own address.
pool.discoverExternal = async () => {};

if (words.includes("--segwit")) {
  const getState = chain.getState.bind(chain);
  chain.getState = async (previous, deployment) =>
    deployment.name === "segwit" ? common.thresholdStates.ACTIVE : getState(previous, deployment);
}

const say = () => process.stdout.write(`tip ${chain.tip.height} ${chain.tip.rhash()}\n`);

async function mine(blocks) {
  for (let i = 0; i < blocks; i++) {
    const block = await miner.mineBlock();
    if (!await chain.add(block)) throw new Error("bcoin does not take its own block");
  }
}

async function main() {
  for (const each of [chain, miner, pool]) each.on("error", why => process.stderr.write(`error: ${why.stack}\n`));
  await logger.open();
  await chain.open();
  await miner.open();
  await mine(Number(after("--mine") || 0));
  say();
  chain.on("tip", say);
  chain.on("connect", (entry, block) => pool.announceBlock(block));
  await pool.open();
  await pool.connect();
  pool.startSync();
  process.stdout.write("ready\n");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [order, blocks] = line.split(" ");
    if (order !== "mine") throw new Error(`no such order: ${line}`);
    await mine(Number(blocks));
  }
  process.exit(0);
}

main().catch(why => {
  process.stderr.write(`${why.stack}\n`);
  process.exit(1);
});
