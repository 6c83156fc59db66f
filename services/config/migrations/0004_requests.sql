-- What each create with a request_id made, so that its repetition makes nothing.
CREATE TABLE requests (
  caller text NOT NULL,
  method text NOT NULL,
  request_id text NOT NULL,
  digest bytea NOT NULL,
  name text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX requests_by_time ON requests (create_time);
