-- One row: how often the configuration changed. Whoever changes it counts up and notifies in the same transaction.
CREATE TABLE configuration (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  revision bigint NOT NULL
);
INSERT INTO configuration (revision) VALUES (1);

CREATE TABLE revocations (
  subject text PRIMARY KEY,
  not_before timestamptz NOT NULL
);
CREATE INDEX revocations_by_time ON revocations (not_before);

-- One row. NULL: nobody stored a value, so the environment's or the default holds.
CREATE TABLE settings (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  kill_switch boolean,
  images_enabled boolean,
  custom_sizes jsonb,
  revision bigint NOT NULL
);
INSERT INTO settings (revision) VALUES (1);

-- Added providers, and what is stored for the built-in ones. NULL as in settings.
CREATE TABLE providers (
  id text PRIMARY KEY,
  kind text NOT NULL,
  built_in boolean NOT NULL,
  -- What the kind said when the provider was added; a built-in one's are in the code's table.
  requires text[] NOT NULL,
  default_endpoint text,
  title text,
  enabled boolean,
  endpoint text,
  account_id text,
  -- The key, sealed to the generation service and bound to the origin and version beside it. The version only grows.
  sealed_key bytea,
  key_origin text,
  key_version bigint NOT NULL DEFAULT 0,
  key_last_four text,
  key_set_time timestamptz,
  key_setter text,
  revision bigint NOT NULL DEFAULT 1,
  update_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE profiles (
  id text PRIMARY KEY,
  title text NOT NULL UNIQUE,
  description text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  enabled boolean NOT NULL,
  image_input boolean NOT NULL,
  sizes text[] NOT NULL,
  default_size text NOT NULL,
  model_config jsonb,
  sort_order integer NOT NULL,
  price_note text NOT NULL,
  revision bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX profiles_in_order ON profiles (sort_order, title, id);
CREATE INDEX profiles_by_provider ON profiles (provider);
