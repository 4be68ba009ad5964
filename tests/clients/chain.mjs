// A chain of its own for one test: real tokens, real wallets. See lines.mjs for how it is asked.
//
//   node chain.mjs <chain id>
//
// Says `{"url"}` when it serves. It ends with its standard input.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  concat,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContractAddress,
  keccak256,
  padHex,
  zeroAddress,
} from 'viem';
import { clientOf, startAnvil } from './anvil.mjs';
import { contracts } from './contracts.mjs';
import { serve } from './lines.mjs';

/** What deploys anything at an address that follows from its code; on this chain from the start. */
const DEPLOYER = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
const SALT = padHex('0x5a', { size: 32 });

const id = Number(process.argv[2]);
const require = createRequire(import.meta.url);

const [chain, ours] = await Promise.all([startAnvil(id, 1), contracts()]);
const { client, transact: send } = clientOf(id, chain.url);
const [account] = await client.getAddresses();
const transact = (transaction) => send({ account, ...transaction });

// A number as JSON has it is not exact, so amounts come as text.
const exact = (args) => args.map((it) => (/^\d+$/.test(it) ? BigInt(it) : it));

async function deploy({ abi, bytecode }, args) {
  const data = encodeDeployData({ abi, bytecode, args: exact(args) });
  const { contractAddress } = await transact({ data });
  return { address: getAddress(contractAddress) };
}

function artifact(path) {
  const file = require.resolve(`@safe-global/safe-contracts/build/artifacts/contracts/${path}`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What every Safe of this chain shares; deployed when the first is wanted. */
let safes;
async function deploySafes() {
  const singleton = artifact('Safe.sol/Safe.json');
  const factory = artifact('proxies/SafeProxyFactory.sol/SafeProxyFactory.json');
  const handler = 'CompatibilityFallbackHandler';
  return {
    singleton: { ...singleton, ...(await deploy(singleton, [])) },
    factory: { ...factory, ...(await deploy(factory, [])) },
    handler: await deploy(artifact(`handler/${handler}.sol/${handler}.json`), []),
    proxyCode: artifact('proxies/SafeProxy.sol/SafeProxy.json').bytecode,
  };
}

/** Wallets that are not there yet: where each will be, and the call that puts it there. */
const planned = {
  wallet({ owner }) {
    const { abi, bytecode } = ours.Wallet;
    const code = encodeDeployData({ abi, bytecode, args: [owner] });
    const address = getContractAddress({
      opcode: 'CREATE2',
      from: DEPLOYER,
      salt: SALT,
      bytecode: code,
    });
    return { address, factory: DEPLOYER, data: concat([SALT, code]) };
  },

  async safe({ owners, threshold }) {
    safes ??= await deploySafes();
    const { singleton, factory, handler, proxyCode } = safes;
    const initializer = encodeFunctionData({
      abi: singleton.abi,
      functionName: 'setup',
      args: [owners, threshold, zeroAddress, '0x', handler.address, zeroAddress, 0, zeroAddress],
    });
    const address = getContractAddress({
      opcode: 'CREATE2',
      from: factory.address,
      salt: keccak256(concat([keccak256(initializer), padHex('0x00', { size: 32 })])),
      bytecode: concat([proxyCode, padHex(singleton.address, { size: 32 })]),
    });
    const data = encodeFunctionData({
      abi: factory.abi,
      functionName: 'createProxyWithNonce',
      args: [singleton.address, initializer, 0n],
    });
    return { address, factory: factory.address, data };
  },
};

console.log(JSON.stringify({ url: chain.url }));
await serve({
  ...planned,
  deploy: ({ contract, args }) => deploy(ours[contract], args),
  async call({ contract, address, functionName, args }) {
    const call = { abi: ours[contract].abi, functionName, args: exact(args) };
    await transact({ to: address, data: encodeFunctionData(call) });
  },
  async build({ factory, data, address }) {
    await transact({ to: factory, data });
    if (!(await client.getCode({ address }))) throw new Error(`nothing came to ${address}`);
  },
});
await chain.stop();
