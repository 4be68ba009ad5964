// A facilitator that finds everything good at once, if it is new, and moves nothing, so that what is
// measured is whoever asks it. Says in one line of JSON where it serves.
import { listen } from './listen.mjs';

const kinds = [{ x402Version: 2, scheme: 'exact', network: 'eip155:84532' }];
const nonces = new Set();

function settle({ from: payer, nonce }, network) {
  const errorReason = nonces.has(nonce) ? 'invalid_exact_evm_nonce_already_used' : undefined;
  nonces.add(nonce);
  return { success: !errorReason, errorReason, transaction: errorReason ? '' : nonce, network, payer };
}

const routes = {
  '/supported': () => ({ kinds, extensions: [], signers: {} }),
  '/verify': ({ from: payer }) => ({ isValid: true, payer }),
  '/settle': settle,
};

async function answer(request) {
  const { paymentPayload, paymentRequirements } = request.method === 'POST' ? await request.json() : {};
  const route = routes[new URL(request.url).pathname];
  const { authorization } = paymentPayload?.payload ?? {};
  return Response.json(route(authorization, paymentRequirements?.network));
}

await listen(answer, (url) => console.log(JSON.stringify({ url })));
