// Serves the route on a free port, on Node or on Bun, and says in one line of JSON where and with
// which session.
//
//   node|bun serve.mjs <file with the space as JSON> <new database file | "memory">
import { readFileSync } from 'node:fs';
import { app, fill, reader, session } from './app.mjs';
import { isBun, listen } from './listen.mjs';

const [spaceFile, databaseFile] = process.argv.slice(2);
const space = JSON.parse(readFileSync(spaceFile, 'utf8'));

async function open(file) {
  // The best that each has: the edge, too, keeps its statements prepared.
  const { default: Database } = isBun ? await import('bun:sqlite') : await import('better-sqlite3');
  return new Database(file);
}

let read = (id, address) => (id === space.id && address === space.owner ? space : undefined);
if (databaseFile !== 'memory') {
  const database = await open(databaseFile);
  fill(database, space);
  read = reader(database);
}

const token = await session(space);
await listen(app(read).fetch, (url) => console.log(JSON.stringify({ url, token })));
