-- Schema version 1 (FORMATS section 9). Times are ISO 8601 UTC text; everything here is inside SQLCipher.

CREATE TABLE meta (                      -- what this store is: store_id, practice, made_at
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE station (                   -- who this station is: exact bytes by name, the device's private key among them
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (                    -- parked drafts: key = 32 bytes for the stills of this draft only
    draft_id   TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    saved_at   TEXT NOT NULL,
    body       TEXT NOT NULL,
    key        BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;
CREATE INDEX drafts_by_owner ON drafts (owner, created_at);

CREATE TABLE stills (                    -- captured pictures; their bytes lie encrypted in blob_id
    still_id TEXT PRIMARY KEY,
    draft_id TEXT NOT NULL REFERENCES drafts ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    media    TEXT NOT NULL,
    size     INTEGER NOT NULL,
    sha256   TEXT NOT NULL,
    pages    INTEGER NOT NULL,
    trust    TEXT NOT NULL,
    nonce    BLOB NOT NULL CHECK (length(nonce) = 8),
    blob_id  TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX stills_by_draft ON stills (draft_id);

CREATE TABLE outbox (                    -- kept records; states: sync/life.py
    record_id      TEXT PRIMARY KEY,
    owner          TEXT NOT NULL,
    state          TEXT NOT NULL,
    state_before   TEXT NOT NULL DEFAULT '',
    reason         TEXT NOT NULL DEFAULT '',
    name           TEXT NOT NULL,
    id_tail        TEXT NOT NULL,
    categories     TEXT NOT NULL,
    packet_blob    TEXT UNIQUE,               -- NULL once purged
    packet_digest  TEXT NOT NULL,
    packet_size    INTEGER NOT NULL,
    record_digest  TEXT NOT NULL,
    signature      BLOB NOT NULL,              -- detached CMS; empty while unsigned
    acts           TEXT NOT NULL DEFAULT '[]', -- as in FORMATS section 6
    upload_id      TEXT NOT NULL DEFAULT '',
    upload_offset  INTEGER NOT NULL DEFAULT 0,
    tries          INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT NOT NULL DEFAULT '',
    last_detail    TEXT NOT NULL DEFAULT '',
    next_try_at    TEXT NOT NULL,
    kept_at        TEXT NOT NULL,
    sent_at        TEXT,
    receipted_at   TEXT,
    receipt        BLOB,
    remote_state   TEXT NOT NULL DEFAULT '',
    remote_at      TEXT,
    remote_until   TEXT,
    remote_items   TEXT NOT NULL DEFAULT '[]',
    CHECK (state IN ('kept_unsigned', 'signing', 'set_aside') OR length(signature) > 0),  -- what is unsigned is never in the queue
    CHECK (state NOT IN ('receipted', 'purged') OR receipt IS NOT NULL)                   -- nothing is forgotten without a receipt
) STRICT;
CREATE INDEX outbox_due ON outbox (state, next_try_at);
CREATE INDEX outbox_by_owner ON outbox (owner, kept_at);
CREATE INDEX outbox_by_age ON outbox (kept_at);

CREATE TABLE packet_keys (               -- the station's wrap of each packet's data key; dropping the row makes the station forget
    record_id TEXT PRIMARY KEY REFERENCES outbox ON DELETE CASCADE,
    wrap      BLOB NOT NULL
) STRICT;

CREATE TABLE journal (                   -- FORMATS section 12: exact bytes and their digest
    seq    INTEGER PRIMARY KEY,
    line   BLOB NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TRIGGER journal_keeps_lines BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal lines stay'); END;
CREATE TRIGGER journal_keeps_bytes BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal lines stay'); END;
