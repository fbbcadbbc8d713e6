-- Who somebody is at an identity provider: what it calls itself, and what it calls them. Never an address.
CREATE TABLE identities (
    id @key,
    user_id BIGINT NOT NULL REFERENCES users (id),
    issuer @sorted NOT NULL,
    subject @sorted NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id, id);

-- Ways back from a provider that were used: none is worth anything twice, at whichever replica. They are gone when they would be too old anyway.
CREATE TABLE used_returns (
    hash TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_returns_by_expiry ON used_returns (expires_at);
