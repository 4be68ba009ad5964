// Payments with x402, scheme `exact`, as headers: correctly signed, then spoilt as it is wished. And what
// facilitators tell us of them.
import { createHmac, randomUUID } from 'node:crypto';
import { toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { rewrite } from './wallet.mjs';

const HEADERS = { v1: 'x-payment', v2: 'payment-signature' };
const CHAIN_IDS_V1 = { base: 8453, 'base-sepolia': 84532 };
/** Source: EIP-3009. */
const TYPES = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
};

const chainIdOf = (network) => CHAIN_IDS_V1[network] ?? Number(network.replace('eip155:', ''));
export const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64');
export const decode = (header) => JSON.parse(Buffer.from(header, 'base64').toString('utf8'));

/**
 * A payment of the account with `key` for `requirements`, one of those that a 402 accepts: the name of
 * its header, its value, and what is in it.
 *
 * What is not as it should be: `authorization` and `domain` (EIP-712) change what is signed, `form` how
 * the signature is written (see `rewrite` in wallet.mjs), and `signature` puts another one there. Then
 * `changes` are made to the signed authorization, `accepted` to the requirements that are sent back, and
 * `outside` to the whole.
 */
export async function sign({
  key,
  protocol,
  requirements,
  resource,
  extensions,
  authorization = {},
  domain = {},
  form,
  signature,
  changes = {},
  accepted = {},
  outside = {},
}) {
  const account = privateKeyToAccount(key);
  const { scheme, network, asset, payTo, maxTimeoutSeconds, extra } = requirements;
  const now = Math.floor(Date.now() / 1000);
  const message = {
    from: account.address,
    to: payTo,
    value: requirements.amount ?? requirements.maxAmountRequired,
    validAfter: '0',
    validBefore: `${now + maxTimeoutSeconds}`,
    nonce: toHex(crypto.getRandomValues(new Uint8Array(32))),
    ...authorization,
  };
  const { name, version } = extra;
  const signed = await account.signTypedData({
    domain: { name, version, chainId: chainIdOf(network), verifyingContract: asset, ...domain },
    types: TYPES,
    primaryType: 'TransferWithAuthorization',
    message,
  });
  const written = signature ?? (form ? rewrite({ signature: signed })[form] : signed);
  const payload = { signature: written, authorization: { ...message, ...changes } };
  const whole = {
    v1: { x402Version: 1, scheme, network, payload },
    v2: { x402Version: 2, resource, accepted: { ...requirements, ...accepted }, payload, extensions },
  }[protocol];
  const payment = { ...whole, ...outside };
  return { header: HEADERS[protocol], value: encode(payment), payment };
}

/**
 * A message of a facilitator about a payment, sent `age` seconds ago: its headers and its body. `kind` is
 * how it is signed: `hex` or `prefixed` (the body alone), `standard` (Standard Webhooks), `coinbase`.
 */
export function webhook({ kind, secret, about, age = 0 }) {
  const seconds = Math.floor(Date.now() / 1000) - age;
  const body = JSON.stringify({ event: 'payment.settled', timestamp: seconds * 1000, ...about });
  const hmac = (key, text, encoding) => createHmac('sha256', key).update(text).digest(encoding);
  const id = `msg_${randomUUID()}`;
  const standard = () => hmac(Buffer.from(secret, 'base64'), `${id}.${seconds}.${body}`, 'base64');
  const headers = {
    hex: () => ({ 'x-webhook-signature': hmac(secret, body, 'hex') }),
    prefixed: () => ({ 'x-webhook-signature': `sha256=${hmac(secret, body, 'hex')}` }),
    standard: () => ({
      'webhook-id': id,
      'webhook-timestamp': `${seconds}`,
      'webhook-signature': `v1,${standard()}`,
    }),
    coinbase: () => ({
      'x-hook0-signature': `t=${seconds},v0=${hmac(secret, `${seconds}.${body}`, 'hex')}`,
    }),
  }[kind]();
  return { headers, body };
}
