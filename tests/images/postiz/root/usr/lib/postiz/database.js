// Postiz's database: as much of its schema as is asked about, by the names that Prisma gives.
'use strict';

const { execFileSync } = require('child_process');

exports.SCHEMA = `
SELECT 'CREATE TYPE "State" AS ENUM (''QUEUE'', ''PUBLISHED'', ''ERROR'', ''DRAFT'')'
  WHERE to_regtype('"State"') IS NULL \\gexec
CREATE TABLE IF NOT EXISTS "Organization" (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE IF NOT EXISTS "User" (
  id text PRIMARY KEY, email text UNIQUE NOT NULL, password text,
  "organizationId" text NOT NULL REFERENCES "Organization",
  activated boolean NOT NULL DEFAULT true);
CREATE TABLE IF NOT EXISTS "Integration" (
  id text PRIMARY KEY, "organizationId" text NOT NULL REFERENCES "Organization",
  disabled boolean NOT NULL DEFAULT false, "refreshNeeded" boolean NOT NULL DEFAULT false,
  "inBetweenSteps" boolean NOT NULL DEFAULT false, "tokenExpiration" timestamp(3),
  "deletedAt" timestamp(3));
CREATE TABLE IF NOT EXISTS "Post" (
  id text PRIMARY KEY, state "State" NOT NULL DEFAULT 'QUEUE', "publishDate" timestamp(3) NOT NULL,
  "organizationId" text NOT NULL REFERENCES "Organization",
  "integrationId" text NOT NULL REFERENCES "Integration", "parentPostId" text REFERENCES "Post",
  "intervalInDays" integer, "deletedAt" timestamp(3));
CREATE TABLE IF NOT EXISTS "AutoPost" (
  id text PRIMARY KEY, "organizationId" text NOT NULL REFERENCES "Organization",
  active boolean NOT NULL, "deletedAt" timestamp(3));
`;

// Runs SQL, where :'name' is a value. Returns the lines of what it answers.
exports.psql = (sql, values = {}) => {
  const url = new URL(process.env.DATABASE_URL);
  // Prisma's own parameters mean nothing to psql.
  url.search = '';
  const variables = Object.entries(values).flatMap(([name, it]) => ['-v', `${name}=${it}`]);
  const args = ['-qXAt', '-v', 'ON_ERROR_STOP=1', ...variables, url.href];
  const env = { PATH: process.env.PATH, PGOPTIONS: '--client-min-messages=warning' };
  const out = execFileSync('psql', args, { input: sql, env, encoding: 'utf8', timeout: 5000 });
  return out.split('\n').filter((it) => it !== '');
};
