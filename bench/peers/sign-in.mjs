// Sign-in with Ethereum as one would write it in Hono: the message is read, its domain, nonce and
// times are checked, the signer is recovered, the nonce is used up (in memory), and the answer is a
// session as a JWT. Says in one line of JSON where it serves.
//
//   node|bun sign-in.mjs siwe|viem
import { Hono } from 'hono';
import { sign } from 'hono/jwt';
import { listen } from './listen.mjs';

const SECRET = 'a secret of 32 bytes for benches';
const NONCE_SECONDS = 600;
const SESSION_SECONDS = 12 * 3600;

/** What each library makes of a message: its address and chain, or nothing if it proves nothing. */
const verifiers = {
  async siwe() {
    const { SiweMessage } = await import('siwe');
    return async (text, signature, domain, isOurs) => {
      const message = new SiweMessage(text);
      if (!isOurs(message.nonce)) return undefined;
      const time = new Date().toISOString();
      const { nonce } = message;
      const { success } = await message.verify(
        { signature, domain, nonce, time },
        { suppressExceptions: true },
      );
      return success && { nonce, address: message.address, chainId: message.chainId };
    };
  },
  async viem() {
    const { verifyMessage } = await import('viem');
    const { parseSiweMessage, validateSiweMessage } = await import('viem/siwe');
    return async (text, signature, domain, isOurs) => {
      const message = parseSiweMessage(text);
      const { nonce, address, chainId } = message;
      if (!isOurs(nonce) || !validateSiweMessage({ message, domain, nonce, time: new Date() })) {
        return undefined;
      }
      const isSigned = await verifyMessage({ address, message: text, signature });
      return isSigned && { nonce, address, chainId };
    };
  },
};

const verify = await verifiers[process.argv[2]]();
/** The nonces given out and not yet used, and when each ends. */
const nonces = new Map();
const now = () => Math.floor(Date.now() / 1000);
const isOurs = (nonce) => now() < (nonces.get(nonce) ?? 0);

const app = new Hono()
  .get('/v1/auth/nonce', (c) => {
    const nonce = crypto.randomUUID().replaceAll('-', '');
    nonces.set(nonce, now() + NONCE_SECONDS);
    return c.json({ nonce });
  })
  .post('/v1/auth/verify', async (c) => {
    const { message, signature } = await c.req.json();
    const proven = await verify(message, signature, new URL(c.req.url).host, isOurs);
    if (!proven || !nonces.delete(proven.nonce)) return c.json({ status: 401 }, 401);
    const { address, chainId } = proven;
    const exp = now() + SESSION_SECONDS;
    const token = await sign({ sub: address, chain_id: chainId, exp }, SECRET, 'HS256');
    return c.json({ token, address, chain_id: chainId, expires_at: exp });
  });

await listen(app.fetch, (url) => console.log(JSON.stringify({ url })));
