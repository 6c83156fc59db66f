-- How pictures look while they are drawn: the latest of each, gone when the generation has ended. Its event stays.
CREATE TABLE partials (
    generation text   NOT NULL REFERENCES generations,
    index      int    NOT NULL,  -- which picture of the generation it is
    number     bigint NOT NULL,  -- of its event
    data       bytea  NOT NULL,
    PRIMARY KEY (generation, index)
);

-- Whoever ends it.
CREATE FUNCTION forget_partials() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM partials WHERE generation = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER generation_end AFTER UPDATE OF end_time ON generations
    FOR EACH ROW WHEN (OLD.end_time IS NULL AND NEW.end_time IS NOT NULL) EXECUTE FUNCTION forget_partials();
