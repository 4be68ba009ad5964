// All that paying with x402 needs, on this machine: a chain that looks like Base Sepolia with USDC on
// it, a token for the gate, and a facilitator. The money is play money.
//
// Says in one line of JSON where it all is, and serves until SIGTERM or SIGINT.
import { encodeDeployData, encodeFunctionData, getAddress, toHex } from 'viem';
import { mnemonicToAccount, nonceManager } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';
import { clientOf, startAnvil } from './anvil.mjs';
import { contracts } from './contracts.mjs';
import { serveFacilitator } from './facilitator.mjs';
import { abi, deployUsdc, USDC } from './usdc.mjs';

// anvil's own. Worth nothing anywhere.
const MNEMONIC = 'test test test test test test test test test test test junk';
const ROLES = ['deployer', 'facilitator', 'buyer', 'pay_to'];
/** A million, in the units of USDC. */
const BUYERS_USDC = 10n ** 12n;
/** A thousand, of 18 places. */
const BUYERS_GATE_TOKEN = 10n ** 21n;

const accounts = Object.fromEntries(
  ROLES.map((role, addressIndex) => [role, mnemonicToAccount(MNEMONIC, { addressIndex, nonceManager })]),
);
const deployer = accounts.deployer.address;
const buyer = accounts.buyer.address;

function fail(error) {
  console.error(`dev-payments: ${`${error.shortMessage ?? error.message}`.split('\n')[0]}`);
  process.exit(1);
}

async function deployGateToken({ transact }) {
  const { Erc20 } = await contracts();
  const data = encodeDeployData({ ...Erc20, args: [18] });
  const { contractAddress: to } = await transact({ account: deployer, data });
  const mint = { abi: Erc20.abi, functionName: 'mint', args: [buyer, BUYERS_GATE_TOKEN] };
  await transact({ account: deployer, to, data: encodeFunctionData(mint) });
  return to;
}

async function start() {
  const { id } = baseSepolia;
  const chain = await startAnvil(id, ROLES.length);
  const onChainEnd = () => fail(new Error('the chain ended'));
  chain.anvil.on('exit', onChainEnd);
  const ours = clientOf(id, chain.url);
  await deployUsdc(ours, deployer);
  const mint = encodeFunctionData({ abi, functionName: 'mint', args: [buyer, BUYERS_USDC] });
  await ours.transact({ account: deployer, to: USDC, data: mint });
  const gateToken = await deployGateToken(ours);
  const facilitator = await serveFacilitator({
    network: `eip155:${id}`,
    networkV1: 'base-sepolia',
    chain: baseSepolia,
    rpc: chain.url,
    account: accounts.facilitator,
  });
  const stop = async () => {
    chain.anvil.off('exit', onChainEnd);
    await chain.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  return {
    rpc: chain.url,
    chain_id: id,
    usdc: USDC,
    gate_token: getAddress(gateToken),
    facilitator,
    pay_to: accounts.pay_to.address,
    buyer_private_key: toHex(accounts.buyer.getHdKey().privateKey),
    pids: [process.pid, ...chain.pids],
  };
}

start().then((ready) => console.log(JSON.stringify(ready)), fail);
