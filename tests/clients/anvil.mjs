// A chain of its own: `anvil`, as npm ships it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { createTestClient, http, publicActions, walletActions } from 'viem';

const require = createRequire(import.meta.url);
/** How often it is asked for what has happened. */
const POLLING_MS = 10;

/** Starts a chain on a free port: its URL, the processes it is, and how to end them. */
export async function startAnvil(id, nAccounts) {
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const program = require.resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/anvil`);
  const options = ['--port', '0', '--chain-id', `${id}`, '--accounts', `${nAccounts}`];
  // Both in sessions of their own: Ctrl-C must not end the guard before the chain.
  const anvil = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  // The guard's input ends with this process, however that ends, and the chain with it.
  const guard = spawn('sh', ['-c', 'read -r _; kill "$0" 2>/dev/null', `${anvil.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = Promise.all([once(anvil, 'exit'), once(guard, 'exit')]);
  const url = await new Promise((resolve, reject) => {
    anvil.on('exit', () => reject(new Error('anvil ended')));
    createInterface({ input: anvil.stdout }).on('line', (line) => {
      const [, address] = /^Listening on (.*)$/.exec(line) ?? [];
      if (address) resolve(`http://${address}`);
    });
  });
  async function stop() {
    guard.stdin.end();
    await ended;
  }
  return { url, pids: [anvil.pid, guard.pid], anvil, stop };
}

/** All that can be asked of the chain at `url`, and the way it is told to do something. */
export function clientOf(id, url) {
  const chain = { id, name: 'test', nativeCurrency: { name: 'E', symbol: 'E', decimals: 18 } };
  const client = createTestClient({
    chain: { ...chain, rpcUrls: { default: { http: [url] } } },
    mode: 'anvil',
    transport: http(url),
    pollingInterval: POLLING_MS,
  }).extend((it) => ({ ...publicActions(it), ...walletActions(it) }));

  /** Sends a transaction of an account that the chain has the key of, and waits for its receipt. */
  async function transact(transaction) {
    const hash = await client.sendTransaction(transaction);
    const receipt = await client.waitForTransactionReceipt({ hash });
    if (receipt.status !== 'success') throw new Error(`reverted: ${JSON.stringify(transaction)}`);
    return receipt;
  }
  return { client, transact };
}
