// Answers requests in JSON on the lines of standard input, each on a line of standard output.
import { createInterface } from 'node:readline';

/** Serves until standard input ends. `acts` are functions by the name that a request's `act` gives. */
export async function serve(acts) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { act, ...request } = JSON.parse(line);
    let answer;
    try {
      answer = await acts[act](request);
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer ?? {})}\n`);
  }
}
