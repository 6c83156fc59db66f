-- What is stored, by content. A row exists only while, or shortly before, something refers to it; its bytes are safe
-- on disk before the row commits. Whoever adds a reference writes the row in the same transaction and so holds its
-- lock; the collector takes that lock before it looks for references and removes bytes.
CREATE TABLE blobs (
    sha256       bytea PRIMARY KEY,
    size_bytes   integer NOT NULL,
    content_type text NOT NULL,
    width        integer NOT NULL,
    height       integer NOT NULL
);

-- The library and the drafts. A draft has an expire_time, a kept image a keep_time.
CREATE TABLE images (
    project      text NOT NULL,
    id           text NOT NULL,
    title        text NOT NULL,
    sha256       bytea NOT NULL REFERENCES blobs,
    generation   text NOT NULL,
    number       integer NOT NULL,
    creator      text NOT NULL,
    request_id   text,
    version      integer NOT NULL DEFAULT 1,
    create_time  timestamptz NOT NULL DEFAULT now(),
    keep_time    timestamptz,
    expire_time  timestamptz,
    PRIMARY KEY (project, id),
    CHECK ((keep_time IS NULL) <> (expire_time IS NULL))
);
CREATE INDEX images_library ON images (project, keep_time DESC, id DESC) WHERE keep_time IS NOT NULL;
CREATE INDEX images_expiring ON images (expire_time) WHERE expire_time IS NOT NULL;
CREATE INDEX images_blob ON images (sha256);
CREATE UNIQUE INDEX images_request ON images (project, request_id) WHERE request_id IS NOT NULL;

-- The latest epoch that each task's holder has shown.
CREATE TABLE fences (
    task         text PRIMARY KEY,
    epoch        bigint NOT NULL,
    update_time  timestamptz NOT NULL DEFAULT now()
);

-- What tasks have stored: pending without an image, committed with its id. Committed ones refer to no blob; they stay
-- for a while so that a repeated commit gives the same images.
CREATE TABLE stages (
    task         text NOT NULL,
    index        integer NOT NULL,
    project      text NOT NULL,
    sha256       bytea NOT NULL,
    image        text,
    expire_time  timestamptz NOT NULL,
    PRIMARY KEY (task, index)
);
CREATE INDEX stages_blob ON stages (sha256) WHERE image IS NULL;
CREATE INDEX stages_expiring ON stages (expire_time);

-- Smaller copies that have been made, blobs of their own.
CREATE TABLE renditions (
    source       bytea NOT NULL REFERENCES blobs ON DELETE CASCADE,
    side         integer NOT NULL,
    sha256       bytea NOT NULL REFERENCES blobs,
    PRIMARY KEY (source, side)
);
CREATE INDEX renditions_blob ON renditions (sha256);
