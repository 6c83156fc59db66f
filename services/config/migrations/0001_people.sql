-- People and their proofs. Secrets are here as SHA-256, passwords as argon2id.
CREATE TABLE users (
  id text PRIMARY KEY,
  title text NOT NULL,
  admin boolean NOT NULL DEFAULT false,
  disabled boolean NOT NULL DEFAULT false,
  password_hash text,
  create_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  secret_hash bytea NOT NULL UNIQUE,
  -- Whether it was begun with a one-time code: its user may set a password without knowing the old one.
  by_code boolean NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  expire_time timestamptz NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id, id);
CREATE INDEX sessions_by_end ON sessions (expire_time);

CREATE TABLE tokens (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  title text NOT NULL,
  scope integer NOT NULL,
  secret_hash bytea NOT NULL UNIQUE,
  create_time timestamptz NOT NULL DEFAULT now(),
  expire_time timestamptz NOT NULL,
  last_use_time timestamptz
);
CREATE INDEX tokens_of_user ON tokens (user_id, id);

CREATE TABLE sign_in_codes (
  secret_hash bytea PRIMARY KEY,
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  expire_time timestamptz NOT NULL
);

-- How often a sign-in was tried. The subject is a hash, because people type passwords into the wrong field.
CREATE TABLE tries (
  subject bytea PRIMARY KEY,
  count integer NOT NULL,
  end_time timestamptz NOT NULL
);
CREATE INDEX tries_by_end ON tries (end_time);
