// A wallet that signs in with Ethereum, as a page would do it: `siwe` writes the message, `viem` signs.
import { SiweMessage } from 'siwe';
import {
  concat,
  getAddress,
  hashMessage,
  numberToHex,
  parseSignature,
  serializeCompactSignature,
  serializeErc6492Signature,
  serializeSignature,
  signatureToCompactSignature,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

/** The order of the curve: s and N - s are two signatures of the same. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** A wallet that nobody has seen before. */
export function fresh() {
  const key = generatePrivateKey();
  return { key, address: privateKeyToAccount(key).address };
}

/**
 * The message of a wallet for a site, and its signature. `fields` go into the message over the usual
 * ones. A `text` is signed as it is instead, also if it is no message at all.
 */
export async function sign({ key, site, fields = {}, text }) {
  const account = privateKeyToAccount(key);
  const address = getAddress(account.address);
  const message =
    text ??
    new SiweMessage({
      domain: new URL(site).host,
      address,
      uri: site,
      version: '1',
      chainId: 1,
      issuedAt: new Date().toISOString(),
      ...fields,
    }).prepareMessage();
  return { address, message, signature: await account.signMessage({ message }) };
}

/** The signature of a Safe by some of its owners under `text`: in the order of their addresses. */
export async function signForSafe({ keys, safe, chainId, text }) {
  const owners = keys.map((key) => privateKeyToAccount(key));
  owners.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  const data = {
    domain: { chainId, verifyingContract: safe },
    types: { SafeMessage: [{ name: 'message', type: 'bytes' }] },
    primaryType: 'SafeMessage',
    message: { message: hashMessage(text) },
  };
  return { signature: concat(await Promise.all(owners.map((it) => it.signTypedData(data)))) };
}

/** The signature of a wallet that is not on its chain yet (EIP-6492). */
export function wrap({ factory, data, signature }) {
  return { signature: serializeErc6492Signature({ address: factory, data, signature }) };
}

/** Other ways to write a signature of 65 bytes. */
export function rewrite({ signature }) {
  const { r, s, yParity } = parseSignature(signature);
  const highS = { r, s: numberToHex(N - BigInt(s), { size: 32 }), yParity: 1 - yParity };
  const compact = signatureToCompactSignature({ r, s, yParity });
  const tail = (v) => concat([r, s, numberToHex(v, { size: 1 })]);
  return {
    parity: tail(yParity),
    highS: serializeSignature(highS),
    compact: serializeCompactSignature(compact),
    otherV: tail(yParity + 29),
  };
}

/**
 * A balance statement, signed by `key`, as it goes into a header. `changes` are made after it was
 * signed.
 */
export async function attest({ key, statement, changes = {} }) {
  const issuer = privateKeyToAccount(key);
  const signed = { issuer: issuer.address, ...statement };
  const signature = await issuer.signTypedData({
    domain: { name: 'Balance Statement', version: '1' },
    types: {
      BalanceStatement: [
        { name: 'issuer', type: 'address' },
        { name: 'subject', type: 'address' },
        { name: 'ledger', type: 'string' },
        { name: 'amount', type: 'uint256' },
        { name: 'expiry', type: 'uint64' },
      ],
    },
    primaryType: 'BalanceStatement',
    message: signed,
  });
  const header = JSON.stringify({ ...signed, signature, ...changes });
  return { header: Buffer.from(header).toString('base64url') };
}
