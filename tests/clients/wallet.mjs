// A wallet that signs in with Ethereum, as a page would do it: `siwe` writes the message, `viem` signs.
import { SiweMessage } from 'siwe';
import { getAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

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
