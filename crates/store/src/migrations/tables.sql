-- All tables of the first release. `@key` is a number that the database gives out, `@sorted` is text that is compared byte by byte;
-- the two databases have different words for them. Moments are seconds since 1970-01-01T00:00:00Z. JSON is text: PostgreSQL's `jsonb`
-- refuses `\u0000`, which publishers may write into anything.

CREATE TABLE registries (
    id @key,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    url TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id @key,
    login TEXT NOT NULL,
    folded @sorted NOT NULL UNIQUE,
    name TEXT,
    email TEXT,
    password_hash TEXT,
    roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    disabled_at BIGINT
);

CREATE TABLE tokens (
    id @key,
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    scopes TEXT NOT NULL,
    patterns TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_user ON tokens (user_id);

CREATE TABLE one_time_secrets (
    id @key,
    purpose TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE crates (
    id @key,
    registry_id BIGINT NOT NULL REFERENCES registries (id),
    name TEXT NOT NULL,
    canonical @sorted NOT NULL,
    first_seen BIGINT NOT NULL,
    UNIQUE (registry_id, canonical)
);
CREATE INDEX crates_by_name ON crates (canonical, id);

CREATE TABLE versions (
    id @key,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    number TEXT NOT NULL,
    identity TEXT NOT NULL,
    checksum TEXT NOT NULL,
    size BIGINT,
    index_line TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    published_at BIGINT,
    yanked BOOLEAN NOT NULL,
    overlay TEXT,
    overlay_reason TEXT,
    overlay_by TEXT,
    overlay_at BIGINT,
    state TEXT NOT NULL,
    enforcement TEXT NOT NULL,
    listed_while_pending BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    clause TEXT,
    level TEXT,
    score INTEGER,
    verdict TEXT,
    inspected_at BIGINT,
    standing TEXT NOT NULL,
    standing_reason TEXT NOT NULL,
    listed BOOLEAN NOT NULL,
    decision_id BIGINT,
    -- The score, or -1 where there is none: what a page is sorted by has to be comparable.
    rank INTEGER NOT NULL,
    UNIQUE (crate_id, identity)
);
CREATE INDEX versions_by_checksum ON versions (checksum);
CREATE INDEX versions_by_standing ON versions (standing, rank DESC, first_seen, id);
CREATE INDEX versions_by_age ON versions (first_seen, id);

CREATE TABLE provenance (
    version_id BIGINT NOT NULL PRIMARY KEY REFERENCES versions (id),
    publisher TEXT,
    publisher_folded TEXT,
    user_id BIGINT REFERENCES users (id),
    token_id BIGINT REFERENCES tokens (id),
    token_name TEXT,
    method TEXT,
    client TEXT,
    address TEXT,
    owners TEXT,
    verdict TEXT,
    score INTEGER,
    published_at BIGINT
);
CREATE INDEX provenance_by_publisher ON provenance (publisher_folded, published_at);

CREATE TABLE inspections (
    id @key,
    version_id BIGINT NOT NULL REFERENCES versions (id),
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    enforcement TEXT NOT NULL,
    reason TEXT NOT NULL,
    clause TEXT,
    level TEXT,
    score INTEGER,
    verdict TEXT,
    case_json TEXT,
    answer_json TEXT,
    analyzer TEXT NOT NULL
);
CREATE INDEX inspections_by_version ON inspections (version_id, id);

CREATE TABLE decisions (
    id @key,
    scope TEXT NOT NULL,
    registry_id BIGINT NOT NULL REFERENCES registries (id),
    crate_id BIGINT REFERENCES crates (id),
    version_id BIGINT REFERENCES versions (id),
    publisher TEXT,
    publisher_folded TEXT,
    action TEXT NOT NULL,
    enforcement TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    undone_by TEXT,
    undone_at BIGINT,
    undo_reason TEXT
);
CREATE INDEX decisions_by_version ON decisions (version_id);
CREATE INDEX decisions_by_crate ON decisions (crate_id);
CREATE INDEX decisions_by_publisher ON decisions (registry_id, publisher_folded);

CREATE TABLE owners (
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    folded TEXT NOT NULL,
    login TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT,
    PRIMARY KEY (crate_id, folded)
);
CREATE INDEX owners_by_login ON owners (folded);

CREATE TABLE invitations (
    id @key,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    folded TEXT NOT NULL,
    login TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    answered_at BIGINT
);
CREATE INDEX invitations_by_login ON invitations (folded, state);
CREATE INDEX invitations_by_crate ON invitations (crate_id, state);

CREATE TABLE events (
    id @key,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    version_id BIGINT REFERENCES versions (id),
    kind TEXT NOT NULL,
    actor TEXT,
    actor_folded TEXT,
    token_id BIGINT REFERENCES tokens (id),
    subject TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX events_by_crate ON events (crate_id, at, id);
CREATE INDEX events_by_actor ON events (actor_folded, at, id);

CREATE TABLE fetches (
    id @key,
    version_id BIGINT NOT NULL REFERENCES versions (id),
    token_id BIGINT REFERENCES tokens (id),
    login TEXT,
    address TEXT,
    client TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX fetches_by_version ON fetches (version_id, at, id);
CREATE INDEX fetches_by_time ON fetches (at, id);

CREATE TABLE jobs (
    id @key,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    once TEXT UNIQUE,
    attempts INTEGER NOT NULL,
    attempts_allowed INTEGER NOT NULL,
    run_after BIGINT NOT NULL,
    lease_owner TEXT,
    last_error TEXT,
    dead_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_by_time ON jobs (dead_at, run_after, id);

CREATE TABLE audit_log (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE
);
CREATE INDEX audit_log_by_object ON audit_log (object, sequence);
CREATE INDEX audit_log_by_actor ON audit_log (actor, sequence);

CREATE TABLE checkpoints (
    id @key,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    signer TEXT NOT NULL,
    signature TEXT NOT NULL
);

CREATE TABLE webhooks (
    id @key,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE deliveries (
    id @key,
    webhook_id BIGINT NOT NULL REFERENCES webhooks (id),
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);

CREATE TABLE delivery_attempts (
    id @key,
    delivery_id BIGINT NOT NULL REFERENCES deliveries (id),
    at BIGINT NOT NULL,
    status INTEGER,
    answer TEXT NOT NULL
);
CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery_id, id);

CREATE TABLE changes (
    sequence BIGINT NOT NULL PRIMARY KEY,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    at BIGINT NOT NULL
);
