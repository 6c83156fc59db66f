-- One user request for pictures. What was asked, planned and configured at that time is kept as the messages it came
-- in; `state`, `error`, `cost` and `may_have_been_billed` only cache what follows from the tasks.
CREATE TABLE generations (
    id                   text        PRIMARY KEY,
    project              text        NOT NULL,
    creator              text        NOT NULL,
    asked                bytea       NOT NULL,  -- inkweld.generation.v1.Generation, input fields only
    plan                 bytea       NOT NULL,  -- inkweld.generation.v1.Plan
    profile              bytea       NOT NULL,  -- inkweld.config.v1.Profile, the revision it began with
    state                text        NOT NULL DEFAULT 'QUEUED',
    error                bytea,                 -- google.rpc.Status
    cost                 bytea,                 -- google.type.Money
    may_have_been_billed boolean     NOT NULL DEFAULT false,
    last_event           bigint      NOT NULL DEFAULT 0,
    create_time          timestamptz NOT NULL DEFAULT now(),
    start_time           timestamptz,
    end_time             timestamptz,
    deadline             timestamptz NOT NULL,
    expire_time          timestamptz NOT NULL
);

CREATE INDEX generations_by_age ON generations (project, create_time DESC, id DESC);

-- The answers to calls that carried a request_id.
CREATE TABLE request_ids (
    creator     text        NOT NULL,
    request_id  text        NOT NULL,
    fingerprint bytea       NOT NULL,
    generation  text        NOT NULL REFERENCES generations,
    reply       bytea       NOT NULL,  -- inkweld.generation.v1.Generation, as it was answered
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (creator, request_id)
);
