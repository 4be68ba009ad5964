// Pays for tests that are written in another language, on a chain of its own: see payments.mjs for
// payments that are only signed, lines.mjs for how it is asked. Starts scripts/dev-payments, says the
// line that this says, and ends with its standard input.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { Webhook } from 'standardwebhooks';
import { encodeDeployData, encodeFunctionData, getAddress, parseAbiItem } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createSigner, wrapFetchWithPayment as wrapFetchWithPaymentV1 } from 'x402-fetch';
import { clientOf } from './anvil.mjs';
import { contracts } from './contracts.mjs';
import { serve } from './lines.mjs';
import { decode, sign, webhook } from './payments.mjs';
import { abi, USDC } from './usdc.mjs';
import { fresh } from './wallet.mjs';

const DEV_PAYMENTS = fileURLToPath(new URL('../../scripts/dev-payments', import.meta.url));
/** The libraries refuse to pay more than they are told: here, whatever it costs. */
const PRICE_MAX_V1 = 10n ** 18n;

const services = spawn(DEV_PAYMENTS, { stdio: ['ignore', 'pipe', 'inherit'] });
const servicesEnded = once(services, 'exit');
const [line] = await Promise.race([
  once(createInterface({ input: services.stdout }), 'line'),
  servicesEnded.then(() => Promise.reject(new Error('dev-payments ended'))),
]);
const ready = JSON.parse(line);
const { client, transact } = clientOf(ready.chain_id, ready.rpc);
const [deployer] = await client.getAddresses();

/** `fetch` as an official client has it, paying with `key`. */
const paying = {
  v1: async (fetch, key) =>
    wrapFetchWithPaymentV1(fetch, await createSigner('base-sepolia', key), PRICE_MAX_V1),
  v2: async (fetch, key) => {
    const scheme = new ExactEvmScheme(privateKeyToAccount(key));
    return wrapFetchWithPayment(
      fetch,
      new x402Client().setSpendControls(false).register('eip155:*', scheme),
    );
  },
};

function seen(response, text) {
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: isJson ? JSON.parse(text) : text,
  };
}

async function call(functionName, args) {
  const data = encodeFunctionData({ abi, functionName, args });
  return transact({ account: deployer, to: USDC, data });
}

const acts = {
  fresh,
  sign,
  webhook,
  decode: ({ header }) => ({ content: decode(header) }),

  /** How the library of Standard Webhooks signs a message that was sent at `timestamp`, in seconds. */
  standard: ({ secret, id, timestamp, body }) => ({
    signature: new Webhook(secret).sign(id, new Date(timestamp * 1000), body),
  }),

  /** A request as an official client sends it: what came of it, and all that was said on the way. */
  async pay({ protocol, key = ready.buyer_private_key, url, method, headers, body }) {
    const exchanges = [];
    const listening = async (input, init) => {
      const request = new Request(input, init);
      const sent = Object.fromEntries(request.headers);
      const response = await fetch(request);
      exchanges.push({ request: sent, response: seen(response, await response.clone().text()) });
      return response;
    };
    const send = await paying[protocol](listening, key);
    const content = { 'content-type': 'application/json' };
    const response = await send(url, {
      method,
      headers: { ...(body && content), ...headers },
      body: body && JSON.stringify(body),
    });
    return { ...seen(response, await response.text()), exchanges };
  },

  /** Gives `amount` of USDC to `address`, out of nothing. */
  async fund({ address, amount }) {
    await call('mint', [address, BigInt(amount)]);
  },

  async balance({ address }) {
    const call = { address: USDC, abi, functionName: 'balanceOf', args: [address] };
    return { balance: `${await client.readContract(call)}` };
  },

  /** A wallet (EIP-1271) on the chain that agrees with what the key of `owner` signed. */
  async wallet({ owner }) {
    const { Wallet } = await contracts();
    const data = encodeDeployData({ ...Wallet, args: [owner] });
    const { contractAddress } = await transact({ account: deployer, data });
    return { address: getAddress(contractAddress) };
  },

  /** Brings a signed payment to the chain without a facilitator, as anybody can who sees it. */
  async submit({ payment: { payload } }) {
    const { from, to, value, validAfter, validBefore, nonce } = payload.authorization;
    const numbers = [value, validAfter, validBefore].map(BigInt);
    const data = encodeFunctionData({
      abi: abi.filter((it) => it.name !== 'transferWithAuthorization' || it.inputs.length === 7),
      functionName: 'transferWithAuthorization',
      args: [from, to, ...numbers, nonce, payload.signature],
    });
    const { transactionHash } = await transact({ account: deployer, to: USDC, data });
    return { transaction: transactionHash };
  },

  /** How many payments have come in. */
  async transfers() {
    const event = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
    const args = { to: ready.pay_to };
    const logs = await client.getLogs({ address: USDC, event, args, fromBlock: 0n });
    return { n_transfers: logs.length };
  },
};

console.log(line);
await serve(acts);
services.kill('SIGTERM');
await servicesEnded;
