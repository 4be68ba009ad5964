SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS notes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  body text NOT NULL CHECK (body <> ''),
  written_at timestamptz NOT NULL DEFAULT now()
);
