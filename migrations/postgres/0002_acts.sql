-- Administrative acts, after the ledger has forgotten them. The document is what the API shows of the
-- act; it is kept for good.
CREATE TABLE acts (
    number   bigint NOT NULL PRIMARY KEY,
    tenant   text COLLATE "C" NOT NULL,
    document text NOT NULL
);

-- An auditor reads its tenant's, newest first.
CREATE INDEX acts_by_tenant ON acts (tenant, number DESC);
