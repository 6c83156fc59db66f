-- A call holds the writer's words, and JSONB refuses some that are lawful there.
ALTER TABLE tasks ALTER COLUMN call TYPE bytea USING convert_to(call::text, 'UTF8');
