-- One call to one provider for a generation. `worker`, `epoch` and `lease_end` say who holds it; every change by a
-- worker names all that it knows of its lease.
CREATE TABLE tasks (
    id                   text        PRIMARY KEY,
    generation           text        NOT NULL REFERENCES generations,
    creator              text        NOT NULL,
    provider             text        NOT NULL,
    slots                int         NOT NULL,  -- how many tasks of the provider may be open at once
    first_index          int         NOT NULL,  -- which picture of the generation its first one is
    count                int         NOT NULL,
    call                 jsonb       NOT NULL,  -- what the adapter is to send
    state                text        NOT NULL DEFAULT 'QUEUED',
    worker               text,
    epoch                bigint      NOT NULL DEFAULT 0,
    lease_end            timestamptz,
    run_at               timestamptz NOT NULL DEFAULT now(),
    claim_time           timestamptz,
    deadline             timestamptz NOT NULL,
    deaths               int         NOT NULL DEFAULT 0,
    tries                int         NOT NULL DEFAULT 0,
    cancel_asked         boolean     NOT NULL DEFAULT false,
    handle               jsonb,
    expected             int,                   -- pictures in the answer, once it is all there
    error                bytea,                 -- google.rpc.Status
    cost                 bytea,                 -- google.type.Money
    may_have_been_billed boolean     NOT NULL DEFAULT false
);

CREATE INDEX tasks_of_generation ON tasks (generation);
CREATE INDEX tasks_waiting ON tasks (run_at) WHERE state = 'QUEUED';
CREATE INDEX tasks_open ON tasks (provider) WHERE state IN ('CLAIMED', 'DISPATCHING', 'SUBMITTED', 'FETCHING');
CREATE INDEX tasks_served ON tasks (creator, claim_time);

-- Written from services/generation/states.py at start, so that the table exists once.
CREATE TABLE task_transitions (
    before text NOT NULL,
    after  text NOT NULL,
    PRIMARY KEY (before, after)
);

CREATE FUNCTION refuse_task_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM task_transitions WHERE before = OLD.state AND after = NEW.state) THEN
        RAISE EXCEPTION 'a task does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER task_transition BEFORE UPDATE OF state ON tasks
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_task_transition();

-- The intent, committed before a byte goes out, and what became of it.
CREATE TABLE attempts (
    id         text        PRIMARY KEY,
    task       text        NOT NULL REFERENCES tasks,
    epoch      bigint      NOT NULL,
    start_time timestamptz NOT NULL DEFAULT now(),
    end_time   timestamptz,
    outcome    text,                  -- ANSWERED, REFUSED, LOST or CANCELLED; NULL while nobody knows
    reason     text                   -- inkweld.errors.v1.ErrorReason, where there is one
);

CREATE INDEX attempts_of_task ON attempts (task);

-- The pictures a task brought.
CREATE TABLE pictures (
    generation text    NOT NULL REFERENCES generations,
    index      int     NOT NULL,  -- which picture of the generation it is
    task       text    NOT NULL REFERENCES tasks,
    image      text    NOT NULL,
    width      int     NOT NULL,
    height     int     NOT NULL,
    seed       bigint,
    saved      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (generation, index)
);

CREATE INDEX pictures_of_task ON pictures (task);
