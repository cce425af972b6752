-- +goose Up
-- Names are compared and sorted byte by byte, whatever the database's own collation is.
CREATE TABLE project (
	id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	default_workspace TEXT COLLATE "C"
);
CREATE TABLE workspace (
	project_id TEXT COLLATE "C" NOT NULL REFERENCES project (id),
	id         TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (project_id, id)
);
ALTER TABLE project ADD FOREIGN KEY (id, default_workspace) REFERENCES workspace (project_id, id);
CREATE TABLE package (
	project_id TEXT COLLATE "C" NOT NULL,
	workspace  TEXT COLLATE "C" NOT NULL,
	id         TEXT COLLATE "C" NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('pending', 'released', 'cancelled')),
	PRIMARY KEY (project_id, workspace, id),
	FOREIGN KEY (project_id, workspace) REFERENCES workspace (project_id, id)
);
