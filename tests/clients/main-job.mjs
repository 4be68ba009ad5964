// The main job as a stranger's client does it: signs in, makes a space, waits until it runs and reads
// its page. Writes what it saw as one JSON object.
//
//   node main-job.mjs <edge URL> <gateway URL> <app> <name> <title>
import { generatePrivateKey } from 'viem/accounts';
import { tenantOf } from './tenant.mjs';

// The first of the accounts that anvil and hardhat print. Worth nothing anywhere.
const ANVIL_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

const [edge, gateway, app, name, title] = process.argv.slice(2);
const { call, signIn, visit, until } = tenantOf(edge, gateway);

const verified = await signIn(ANVIL_KEY);
const { token } = verified.body;
const session = await call('GET', '/v1/auth/session', { token });
const stranger = (await signIn(generatePrivateKey())).body.token;
const created = await call('POST', '/v1/spaces', {
  token,
  body: { name, app, title },
  headers: { 'idempotency-key': crypto.randomUUID() },
});
const { id } = created.body;
const { phases, space } = await until(['running', 'failed'], token, id);
const page = await visit(new URL(space.url).host, '/');
const byStranger = await call('GET', `/v1/spaces/${id}`, { token: stranger });
console.log(JSON.stringify({ verified, session, created, phases, space, page, byStranger }));
