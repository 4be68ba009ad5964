// Signs for tests that are written in another language: a request in JSON on each line of standard
// input (see wallet.mjs), the answer on a line of standard output.
import { createInterface } from 'node:readline';
import { sign } from './wallet.mjs';

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await sign(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
