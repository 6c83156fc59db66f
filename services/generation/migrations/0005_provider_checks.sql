-- What each provider's last check said. How it did with real work is read from the attempts.
CREATE TABLE provider_checks (
    provider     text        PRIMARY KEY,
    ok           boolean     NOT NULL,
    reason       text        NOT NULL,  -- inkweld.errors.v1.ErrorReason by name; '' for none
    check_time   timestamptz NOT NULL,
    success_time timestamptz            -- of the last check that went well
);

CREATE INDEX attempts_by_end ON attempts (end_time DESC) WHERE end_time IS NOT NULL;
