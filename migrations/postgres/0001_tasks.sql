-- Finished tasks, for search. The document is what the API shows of the task; the columns beside
-- it are those that a list can be filtered by. No private input ever stands here.
--
-- The document is text and not jsonb: it must come back byte for byte, and jsonb refuses the escaped
-- NUL that JSON allows. Ids and times are compared as a pair, so ids are compared by their bytes
-- whatever the database's locale is.
CREATE TABLE tasks (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant          text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    plugin          text COLLATE "C" NOT NULL,
    circuit         text COLLATE "C",
    state           text COLLATE "C" NOT NULL,
    code            text COLLATE "C",
    submitted_at_ms bigint NOT NULL,
    finished_at_ms  bigint NOT NULL,
    document        text NOT NULL
);

-- A page is read newest first; the id breaks ties so that no task is shown twice or skipped. Each
-- filter has the order of pages behind it, so that a page costs what it shows.
CREATE INDEX tasks_by_time ON tasks (submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_tenant ON tasks (tenant, submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_state ON tasks (state, submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_plugin ON tasks (plugin, submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_circuit ON tasks (circuit, submitted_at_ms DESC, id DESC) WHERE circuit IS NOT NULL;
CREATE INDEX tasks_by_code ON tasks (code, submitted_at_ms DESC, id DESC) WHERE code IS NOT NULL;
-- What is kept for a time only is found by its end.
CREATE INDEX tasks_by_end ON tasks (finished_at_ms);
