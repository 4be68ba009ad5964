// What a stranger's client does with an edge and a gateway. Knows the HTTP contract only.
import { request } from 'node:http';
import { sign } from './wallet.mjs';

const DEADLINE_MS = 60_000;

export function tenantOf(edge, gateway) {
  async function call(method, path, { token, body, headers = {}, send = fetch } = {}) {
    const response = await send(edge + path, {
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

  /** The space once it is in one of `ends`, and the phases that it was in. */
  async function until(ends, token, id) {
    const phases = [];
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const { body: space } = await call('GET', `/v1/spaces/${id}`, { token });
      if (phases.at(-1) !== space.phase) phases.push(space.phase);
      if (ends.includes(space.phase)) return { phases, space };
      if (deadline < Date.now()) throw new Error(`still ${space.phase}: ${JSON.stringify(space)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  return { call, signIn, visit, until };
}
