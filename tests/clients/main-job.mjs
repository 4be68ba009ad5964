// The main job as a stranger's client does it: signs in, makes a space, waits until it runs and reads
// its page. Knows the HTTP contract only. Writes what it saw as one JSON object.
//
//   node main-job.mjs <edge URL> <gateway URL> <app> <name> <title>
import { request } from 'node:http';
import { generatePrivateKey } from 'viem/accounts';
import { sign } from './wallet.mjs';

// The first of the accounts that anvil and hardhat print. Worth nothing anywhere.
const ANVIL_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const DEADLINE_MS = 60_000;

const [edge, gateway, app, name, title] = process.argv.slice(2);

async function call(method, path, { token, body, headers = {} } = {}) {
  const response = await fetch(edge + path, {
    method,
    redirect: 'manual',
    headers: {
      ...headers,
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: json ? JSON.parse(text) : text,
  };
}

async function signIn(key) {
  const { nonce } = (await call('GET', '/v1/auth/nonce')).body;
  const { message, signature } = await sign({ key, site: edge, fields: { nonce } });
  return call('POST', '/v1/auth/verify', { body: { message, signature } });
}

// fetch resolves names itself; a visitor's browser knows that *.localhost is this machine.
function visit(host, path) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway);
    const sent = request({ hostname, port, path, headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.on('error', reject).end();
  });
}

async function untilSettled(token, id) {
  const phases = [];
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const { body: space } = await call('GET', `/v1/spaces/${id}`, { token });
    if (phases.at(-1) !== space.phase) phases.push(space.phase);
    if (['running', 'failed'].includes(space.phase)) return { phases, space };
    if (deadline < Date.now()) throw new Error(`still ${space.phase}: ${JSON.stringify(space)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

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
const { phases, space } = await untilSettled(token, id);
const page = await visit(new URL(space.url).host, '/');
const byStranger = await call('GET', `/v1/spaces/${id}`, { token: stranger });
console.log(JSON.stringify({ verified, session, created, phases, space, page, byStranger }));
