-- A deleted project keeps its row, so that no later project of its id inherits its pictures.
CREATE TABLE projects (
  id text PRIMARY KEY,
  title text NOT NULL,
  description text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now(),
  delete_time timestamptz
);

CREATE TABLE members (
  project_id text NOT NULL REFERENCES projects,
  user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
  role integer NOT NULL,
  PRIMARY KEY (project_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);
