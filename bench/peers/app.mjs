// `GET /v1/spaces/:id` with a session, as one would write it in Hono: a JWT is checked, the row is
// read, the same JSON as the edge's is answered. `rows` reads the row; without it the answer is in
// memory.
import { Hono } from 'hono';
import { jwt, sign } from 'hono/jwt';

const SECRET = 'a secret of 32 bytes for benches';
const SCHEMA = `
  CREATE TABLE spaces (id TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, view TEXT NOT NULL) STRICT;
  CREATE TABLE members (space TEXT NOT NULL REFERENCES spaces (id), address TEXT NOT NULL, role TEXT NOT NULL,
    PRIMARY KEY (space, address)) STRICT;`;
const FIND_SPACE = `
  SELECT view FROM spaces WHERE (id = ? OR name = ?)
    AND EXISTS (SELECT 1 FROM members WHERE space = spaces.id AND address = ?)`;
const FIND_MEMBERS = 'SELECT address, role FROM members WHERE space = ?';

/** Puts `space` into a new database: columns that are looked for, the rest as JSON. */
export function fill(database, space) {
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(SCHEMA);
  const insert = database.prepare('INSERT INTO spaces VALUES (?, ?, ?, ?)');
  insert.run(space.id, space.name, space.owner, JSON.stringify(space));
  database.prepare('INSERT INTO members VALUES (?, ?, ?)').run(space.id, space.owner, 'owner');
}

/** Reads a space as `address` may see it, with two prepared statements as the edge does. */
export function reader(database) {
  const findSpace = database.prepare(FIND_SPACE);
  const findMembers = database.prepare(FIND_MEMBERS);
  return (id, address) => {
    const row = findSpace.get(id, id, address);
    return row && { ...JSON.parse(row.view), members: findMembers.all(id) };
  };
}

export function app(read) {
  return new Hono()
    .use('/v1/*', jwt({ secret: SECRET, alg: 'HS256' }))
    .get('/v1/spaces/:id', (c) => {
      const space = read(c.req.param('id'), c.get('jwtPayload').sub);
      return space ? c.json(space) : c.json({ status: 404, code: 'space-not-found' }, 404);
    });
}

/** A session of the owner of `space`. */
export function session(space) {
  const exp = Math.floor(Date.now() / 1000) + 12 * 3600;
  return sign({ sub: space.owner, chain_id: 1, exp }, SECRET, 'HS256');
}
