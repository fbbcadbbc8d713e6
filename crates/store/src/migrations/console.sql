-- What the console keeps: cases with who is on them, what people say to each other, acts that wait for a second person, and who is signed in.

-- One for each version that somebody has to look at, opened by its inspection, by a report or by a person.
CREATE TABLE cases (
    id @key,
    version_id BIGINT NOT NULL UNIQUE REFERENCES versions (id),
    opened_at BIGINT NOT NULL,
    opened_by TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The score, or -1 where there is none; kept as the version's is.
    rank INTEGER NOT NULL,
    publisher TEXT,
    publisher_folded @sorted,
    assignee TEXT,
    assigned_at BIGINT,
    outcome TEXT,
    closed_at BIGINT,
    closed_by TEXT,
    closing_reason TEXT
);
CREATE INDEX cases_by_rank ON cases (state, rank DESC, opened_at, id);
CREATE INDEX cases_by_age ON cases (state, opened_at, id);
CREATE INDEX cases_by_publisher ON cases (publisher_folded, state);
CREATE INDEX cases_by_closing ON cases (closed_at, id);

CREATE TABLE comments (
    id @key,
    case_id BIGINT NOT NULL REFERENCES cases (id),
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX comments_by_case ON comments (case_id, id);

-- Texts of policies that were in force: the audit log has their digests.
CREATE TABLE policies (
    digest TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    first_seen BIGINT NOT NULL
);

-- Acts that loosen or destroy: they wait until a second person has agreed.
CREATE TABLE requests (
    id @key,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    change_json TEXT NOT NULL,
    preview_json TEXT NOT NULL,
    digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    requester TEXT NOT NULL,
    requester_folded @sorted NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    answered_by TEXT,
    answered_at BIGINT,
    answer_reason TEXT
);
CREATE INDEX requests_by_state ON requests (state, id);

CREATE TABLE sessions (
    id @key,
    user_id BIGINT NOT NULL REFERENCES users (id),
    hash TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    address TEXT,
    client TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    -- When whoever has it last proved who they are.
    proved_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_by_user ON sessions (user_id, id);

-- The secret is sealed by the server; here it is text without a meaning.
CREATE TABLE second_factors (
    user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    -- The last step of time whose code was used: no code is worth anything twice.
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    id @key,
    user_id BIGINT NOT NULL REFERENCES users (id),
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);

-- Since when somebody has the newest of their roles, and whether the account was made while the gate was set up.
ALTER TABLE users ADD COLUMN roles_since BIGINT;
ALTER TABLE users ADD COLUMN is_founder BOOLEAN NOT NULL DEFAULT FALSE;

-- A decision that contained something at once is confirmed by a second person.
ALTER TABLE decisions ADD COLUMN confirmed_by TEXT;
ALTER TABLE decisions ADD COLUMN confirmed_at BIGINT;
CREATE INDEX decisions_by_confirmation ON decisions (confirmed_at, undone_at, id);

-- People look for entries by what was done, by whom and when.
CREATE INDEX audit_log_by_action ON audit_log (action, sequence);
CREATE INDEX audit_log_by_actor_and_action ON audit_log (actor, action, sequence);
CREATE INDEX audit_log_by_time ON audit_log (at, sequence);

-- What waited for a person before there were cases.
INSERT INTO cases (version_id, opened_at, opened_by, state, rank, publisher, publisher_folded)
SELECT versions.id, COALESCE(versions.inspected_at, versions.first_seen), '(inspection)', 'open', versions.rank, provenance.publisher, provenance.publisher_folded
FROM versions LEFT JOIN provenance ON provenance.version_id = versions.id
WHERE versions.state IN ('held', 'blocked', 'failed') AND versions.decision_id IS NULL;

-- Clauses of a policy that do not count for a crate or a version, until a moment.
CREATE TABLE waivers (
    id @key,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    version_id BIGINT REFERENCES versions (id),
    clause TEXT NOT NULL,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT
);
CREATE INDEX waivers_by_crate ON waivers (crate_id, id);
CREATE INDEX waivers_by_expiry ON waivers (ended_at, expires_at);

-- What owners of a crate may not do until it is unlocked.
CREATE TABLE locks (
    id @key,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT
);
CREATE INDEX locks_by_crate ON locks (crate_id, ended_at);

-- Names that nobody may publish under, or only one account.
CREATE TABLE kept_names (
    canonical @sorted NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    login TEXT,
    login_folded TEXT,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE advisory_drafts (
    case_id BIGINT NOT NULL PRIMARY KEY REFERENCES cases (id),
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- What people say about a version or a crate. Of a case there is one from each reporter.
CREATE TABLE reports (
    id @key,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    version_id BIGINT REFERENCES versions (id),
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    reporter TEXT,
    reporter_folded @sorted,
    contact TEXT,
    address TEXT,
    at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX reports_by_crate ON reports (crate_id, id);
CREATE INDEX reports_by_state ON reports (state, id);
CREATE INDEX reports_by_reporter ON reports (reporter_folded, state);

-- What the newest version of each crate depends on, by name. `newest_id` is that version; NULL until it was looked at.
ALTER TABLE crates ADD COLUMN newest_id BIGINT;
CREATE INDEX crates_without_dependencies ON crates (id) WHERE newest_id IS NULL;
CREATE TABLE dependencies (
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    canonical @sorted NOT NULL,
    kind TEXT NOT NULL,
    requirement TEXT NOT NULL,
    -- Whether it is in another registry than the crate.
    elsewhere BOOLEAN NOT NULL,
    -- The version that has it.
    number TEXT NOT NULL,
    PRIMARY KEY (crate_id, canonical, kind, requirement, elsewhere)
);
CREATE INDEX dependencies_by_name ON dependencies (canonical, crate_id);

-- The rules that the newest inspection of a case's version hit: cases that share them are alike.
CREATE TABLE case_rules (
    case_id BIGINT NOT NULL REFERENCES cases (id),
    rule @sorted NOT NULL,
    PRIMARY KEY (case_id, rule)
);
CREATE INDEX case_rules_by_rule ON case_rules (rule, case_id DESC);
