-- Finished tasks, for search. The document is what the API shows of the task; the columns beside
-- it are those that a list can be filtered by. No private input ever stands here.
CREATE TABLE tasks (
    id              TEXT    NOT NULL PRIMARY KEY,
    kind            TEXT    NOT NULL,
    plugin          TEXT    NOT NULL,
    circuit         TEXT,
    state           TEXT    NOT NULL,
    code            TEXT,
    submitted_at_ms INTEGER NOT NULL,
    finished_at_ms  INTEGER NOT NULL,
    document        TEXT    NOT NULL
) STRICT;

-- A page is read newest first; the id breaks ties so that no task is shown twice or skipped.
CREATE INDEX tasks_by_time ON tasks (submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_state ON tasks (state, submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_plugin ON tasks (plugin, submitted_at_ms DESC, id DESC);
