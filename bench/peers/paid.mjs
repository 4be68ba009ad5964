// A route that costs a cent, as one would write it in Hono: the middleware of x402 has the payment
// checked and settled by the facilitator at the URL given. Says in one line of JSON where it serves.
//
//   node|bun paid.mjs <URL of the facilitator>
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/hono';
import { Hono } from 'hono';
import { listen } from './listen.mjs';

const NETWORK = 'eip155:84532';
// The fourth account that anvil prints.
const PAY_TO = '0x90F79bf6EB2c4f870365E785982E1f101E93b906';

const facilitator = new HTTPFacilitatorClient({ url: process.argv[2] });
const server = new x402ResourceServer(facilitator).register(NETWORK, new ExactEvmScheme());
const accepts = { scheme: 'exact', price: '$0.01', network: NETWORK, payTo: PAY_TO };

const app = new Hono()
  .use(paymentMiddleware({ 'POST /paid': { accepts, description: 'A cent' } }, server))
  .post('/paid', (c) => c.json({ ok: true }));

await listen(app.fetch, (url) => console.log(JSON.stringify({ url })));
