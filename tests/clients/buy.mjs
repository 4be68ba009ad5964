// Buys a space with an official x402 client and says what happens on the way.
//
//   node buy.mjs <edge URL> <gateway URL> <line of dev-payments> [--check]
//
// With --check it fails if anything is not as it must be, and deletes the space at the end.
import assert from 'node:assert/strict';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { createPublicClient, formatUnits, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { decode } from './payments.mjs';
import { tenantOf } from './tenant.mjs';
import { abi } from './usdc.mjs';

const [edge, gateway, line, check] = process.argv.slice(2);
const { rpc, usdc, pay_to: payTo, buyer_private_key: key } = JSON.parse(line);
const { call, signIn, visit, until } = tenantOf(edge, gateway);
const chain = createPublicClient({ transport: http(rpc) });
const paid = () =>
  chain.readContract({ address: usdc, abi, functionName: 'balanceOf', args: [payTo] });
const say = (what, value) => console.log(`${what.padEnd(24)}${value}`);
const usd = (micros) => `${formatUnits(micros, 6)} USDC`;

const buyer = privateKeyToAccount(key);
const { token } = (await signIn(key)).body;
say('signed in', buyer.address);

const body = { name: `paid-${Date.now().toString(36)}`, app: 'hello', title: 'A paid space' };
const asked = await call('POST', '/v1/spaces', { token, body });
assert.equal(asked.status, 402);
const [offer] = decode(asked.headers['payment-required']).accepts;
say('402, asked for', `${usd(BigInt(offer.amount))} on ${offer.network} to ${offer.payTo}`);

const before = await paid();
const client = new x402Client().setSpendControls(false);
const send = wrapFetchWithPayment(fetch, client.register('eip155:*', new ExactEvmScheme(buyer)));
const created = await call('POST', '/v1/spaces', { token, body, send });
assert.equal(created.status, 202, JSON.stringify(created.body));
const settled = decode(created.headers['payment-response']);
say('202, settled by', settled.transaction);
const moved = (await paid()) - before;
say('the payee has got', usd(moved));
assert.equal(moved, BigInt(offer.amount));

const { id } = created.body;
const { space } = await until(['running', 'failed'], token, id);
assert.equal(space.phase, 'running', space.reason);
const page = await visit(new URL(space.url).host, '/');
assert.match(page.body, /A paid space/);
say('it runs at', space.url);
say('its balance', `${space.balance} USD, paid until ${space.paid_until}`);
const { items } = (await call('GET', `/v1/spaces/${id}/ledger`, { token })).body;
for (const it of items) say('its ledger', `${it.at} ${it.kind} ${it.amount}`);

if (check) {
  await call('DELETE', `/v1/spaces/${id}`, { token });
  await until(['deleted'], token, id);
  const wallet = (await call('GET', '/v1/wallet', { token })).body;
  say('deleted; the wallet has', `${wallet.balance} USD`);
  // A second costs two millionths.
  const used = Number(space.balance) - Number(wallet.balance);
  assert(0 <= used && used < 0.001, `${used} USD are gone`);
}
