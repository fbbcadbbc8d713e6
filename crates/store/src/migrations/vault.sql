-- What was taken down: why nobody gets a version any more, and what became of its bytes. The version's own row stays, with all that is known of it.

-- Why it was taken down; NULL for all others. Beside what it stands for, so that an index is read without looking elsewhere.
ALTER TABLE versions ADD COLUMN taken_down_reason TEXT;

CREATE TABLE tombstones (
    id @key,
    version_id BIGINT NOT NULL REFERENCES versions (id),
    checksum TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    decision_id BIGINT NOT NULL REFERENCES decisions (id),
    -- What keeps its bytes from being sealed, or from being brought back.
    trouble TEXT,
    restore_reason TEXT,
    restored_by TEXT,
    restore_asked_at BIGINT,
    ended_at BIGINT
);
CREATE UNIQUE INDEX tombstones_that_stand ON tombstones (version_id) WHERE ended_at IS NULL;
CREATE INDEX tombstones_by_version ON tombstones (version_id, id);
