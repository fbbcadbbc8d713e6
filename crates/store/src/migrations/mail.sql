-- Accounts of which nothing is accepted, and mails to owners.

CREATE TABLE freezes (
    id @key,
    user_id BIGINT NOT NULL REFERENCES users (id),
    login TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    confirmed_by TEXT,
    confirmed_at BIGINT,
    ended_at BIGINT,
    ended_by TEXT
);
CREATE INDEX freezes_by_user ON freezes (user_id, ended_at);
CREATE INDEX freezes_by_confirmation ON freezes (confirmed_at, ended_at, id);

-- `users.email` counts once it is confirmed; the one that somebody wants instead waits until they have followed a link that was mailed to it.
ALTER TABLE users ADD COLUMN email_confirmed_at BIGINT;
ALTER TABLE users ADD COLUMN email_wanted TEXT;

-- What is told by mail. It is sent by a job of its own.
CREATE TABLE mails (
    id @key,
    user_id BIGINT NOT NULL REFERENCES users (id),
    address TEXT NOT NULL,
    address_folded @sorted NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- Sealed by the server where `sealed` says so: what holds a secret link is no text in a copy of the database.
    body TEXT NOT NULL,
    sealed BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    answer TEXT,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX mails_by_state ON mails (state, id);
CREATE INDEX mails_by_user ON mails (user_id, kind, created_at);
CREATE INDEX mails_by_address ON mails (address_folded, finished_at);
