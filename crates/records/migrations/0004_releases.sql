-- The releases of apps that hosts have offered: what people call them, and what they need.
CREATE TABLE releases (
  app          TEXT    NOT NULL CHECK (length(app) BETWEEN 1 AND 63),
  release      TEXT    NOT NULL CHECK (length(release) BETWEEN 1 AND 64),
  version      TEXT    NOT NULL CHECK (length(version) BETWEEN 1 AND 40),
  memory_mib   INTEGER NOT NULL CHECK (memory_mib >= 0),
  PRIMARY KEY (app, release)
) STRICT, WITHOUT ROWID

-- The release that is wanted of a space. Empty for a space that was made before releases were told
-- apart, until its host says which it runs.
ALTER TABLE spaces ADD COLUMN release TEXT NOT NULL DEFAULT ''
