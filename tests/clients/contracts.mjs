// The contracts of `contracts/`, compiled once and kept until one of them changes.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('contracts', import.meta.url));
const MODULES = fileURLToPath(new URL('node_modules', import.meta.url));

/** What each contract looks like from outside, and its creation code: `{ Erc20: { abi, bytecode } }`. */
export async function contracts() {
  const names = readdirSync(FOLDER).sort();
  const sources = Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(join(FOLDER, name), 'utf8') }]),
  );
  // With the lockfile's text, since it decides on the compiler and the libraries.
  const lock = readFileSync(join(MODULES, '.package-lock.json'));
  const content = createHash('sha256').update(JSON.stringify(sources)).update(lock).digest('hex');
  const kept = join(MODULES, '.cache/contracts', `${content}.json`);
  try {
    return JSON.parse(readFileSync(kept, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const compiled = await compile(sources);
  mkdirSync(dirname(kept), { recursive: true });
  // Others may look for it, or write it, at the same time.
  const unfinished = `${kept}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(compiled));
  renameSync(unfinished, kept);
  return compiled;
}

async function compile(sources) {
  const { default: solc } = await import('solc');
  const outputSelection = { '*': { '*': ['abi', 'evm.bytecode.object'] } };
  const input = { language: 'Solidity', sources, settings: { outputSelection } };
  const read = (path) => ({ contents: readFileSync(join(MODULES, path), 'utf8') });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const objections = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (objections.length) throw new Error(objections[0].formattedMessage);
  const found = Object.keys(sources).flatMap((name) => Object.entries(output.contracts[name]));
  return Object.fromEntries(
    found.map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }]),
  );
}
