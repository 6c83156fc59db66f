-- What happened to a generation. Numbers come from `generations.last_event` under its row lock: no gaps, no repeats.
CREATE TABLE events (
    generation  text        NOT NULL REFERENCES generations,
    number      bigint      NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    event       bytea       NOT NULL,  -- inkweld.generation.v1.GenerationEvent without number and time
    PRIMARY KEY (generation, number)
);
