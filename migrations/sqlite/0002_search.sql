-- Whose a task is. Before there were tenants, everything was the one tenant's.
ALTER TABLE tasks ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';

-- Each filter has the order of pages behind it, so that a page costs what it shows.
CREATE INDEX tasks_by_tenant ON tasks (tenant, submitted_at_ms DESC, id DESC);
CREATE INDEX tasks_by_circuit ON tasks (circuit, submitted_at_ms DESC, id DESC) WHERE circuit IS NOT NULL;
CREATE INDEX tasks_by_code ON tasks (code, submitted_at_ms DESC, id DESC) WHERE code IS NOT NULL;
-- What is kept for a time only is found by its end.
CREATE INDEX tasks_by_end ON tasks (finished_at_ms);
