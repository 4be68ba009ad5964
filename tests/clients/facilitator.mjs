// An x402 facilitator for one chain, made of the reference implementation: scheme `exact`, both
// versions of the protocol.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { x402Facilitator } from '@x402/core/facilitator';
import { toFacilitatorEvmSigner } from '@x402/evm';
import { ExactEvmScheme } from '@x402/evm/exact/facilitator';
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator';
import { createWalletClient, http, publicActions } from 'viem';

/** A transaction that is in no block by then is answered as pending. Here blocks come at once. */
const CONFIRMATION_MS = 3_000;
const POLLING_MS = 25;

function facilitatorFor({ network, networkV1, chain, rpc, account }) {
  const wallet = createWalletClient({ account, chain, transport: http(rpc), pollingInterval: POLLING_MS });
  const signer = toFacilitatorEvmSigner(
    { ...wallet.extend(publicActions), address: account.address },
    { confirmationTimeoutMs: CONFIRMATION_MS },
  );
  return new x402Facilitator()
    .register(network, new ExactEvmScheme(signer))
    .registerV1([networkV1], new ExactEvmSchemeV1(signer));
}

/** Serves on a free port and tells the URL. */
export async function serveFacilitator(settings) {
  const facilitator = facilitatorFor(settings);
  const routes = {
    'GET /supported': async () => facilitator.getSupported(),
    'POST /verify': (it) => facilitator.verify(it.paymentPayload, it.paymentRequirements),
    'POST /settle': (it) => facilitator.settle(it.paymentPayload, it.paymentRequirements),
  };
  const server = createServer(async (request, response) => {
    let [status, answer] = [404, { error: 'no such route' }];
    try {
      const route = routes[`${request.method} ${request.url}`];
      if (route) {
        answer = await route(request.method === 'POST' ? await json(request) : undefined);
        status = 200;
      }
    } catch (error) {
      [status, answer] = [500, { error: error.message }];
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}
