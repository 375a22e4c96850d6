-- The rails: what was seen, what is owed, what the shop confirmed. Legal states live here as CHECK constraints.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row per source: where it stands. `complete` is 0 while a pass over it is under way.
CREATE TABLE source (
    name     TEXT PRIMARY KEY,
    cursor   TEXT,
    complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    read_at  REAL,
    scanned  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- The fingerprint of each row of a source, taken at the second read: row id -> key, so that a renamed code changes both.
CREATE TABLE seen (
    source      TEXT NOT NULL,
    row         INTEGER NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    offered     INTEGER NOT NULL CHECK (offered IN (0, 1)),
    PRIMARY KEY (source, row)
) WITHOUT ROWID;
CREATE INDEX seen_key ON seen (source, key);

-- One row per target: may it send, and what formed its values.
CREATE TABLE target (
    name     TEXT PRIMARY KEY,
    paused   INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    baseline TEXT NOT NULL DEFAULT 'none' CHECK (baseline IN ('none', 'running', 'complete')),
    page     TEXT,
    settings TEXT
) WITHOUT ROWID;

-- The outbox. `place` is the order of sending, inherited from the row that was superseded; `sent_at` marks a row that
-- left and whose answer is not known: so marked at a start, it counts as unclear. The checks say OR, not IN: measured, a
-- list costs 3 µs a row.
CREATE TABLE delivery (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    target     TEXT NOT NULL,
    key        TEXT NOT NULL,
    code       TEXT NOT NULL,
    value      TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status = 'pending' OR status = 'delivered' OR status = 'superseded'
                                    OR status = 'held' OR status = 'dead'),
    lane       INTEGER NOT NULL CHECK (lane IN (0, 1)),
    place      INTEGER NOT NULL,
    source     TEXT NOT NULL DEFAULT '',
    version    TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    due        REAL NOT NULL DEFAULT 0,
    sent_at    REAL,
    attempts   INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    folded     INTEGER NOT NULL DEFAULT 0,
    guarded    INTEGER NOT NULL DEFAULT 0 CHECK (guarded IN (0, 1)),
    approved   INTEGER NOT NULL DEFAULT 0 CHECK (approved IN (0, 1)),
    reason     TEXT,
    hint       TEXT,
    request    TEXT,
    answer     TEXT,
    settled_at REAL,
    CHECK ((status = 'pending' OR status = 'held') = (settled_at IS NULL)),
    CHECK ((status <> 'held' AND status <> 'dead') OR reason IS NOT NULL),
    CHECK (sent_at IS NULL OR status = 'pending' OR status = 'superseded' OR status = 'held')
);
CREATE UNIQUE INDEX delivery_open ON delivery (target, key) WHERE status IN ('pending', 'held');
CREATE INDEX delivery_pending ON delivery (target, lane, place) WHERE status = 'pending';
CREATE INDEX delivery_due ON delivery (target, due) WHERE status = 'pending' AND due > 0;
CREATE INDEX delivery_sent ON delivery (target) WHERE sent_at IS NOT NULL;
CREATE INDEX delivery_held ON delivery (target) WHERE status = 'held';
CREATE INDEX delivery_dead ON delivery (target, key) WHERE status = 'dead';

-- What the shop last confirmed.
CREATE TABLE shadow (
    target       TEXT NOT NULL,
    key          TEXT NOT NULL,
    value        TEXT NOT NULL,
    confirmed_at REAL NOT NULL,
    PRIMARY KEY (target, key)
) WITHOUT ROWID;

-- Our key -> the shop's id; `intent` is written before a creation.
CREATE TABLE link (
    thing  TEXT NOT NULL,
    key    TEXT NOT NULL,
    link   TEXT,
    intent TEXT,
    PRIMARY KEY (thing, key),
    CHECK (link IS NOT NULL OR intent IS NOT NULL)
) WITHOUT ROWID;

-- The quiet time of a key after an unclear answer: `rest` until it is read back, then `verify` once more, later.
CREATE TABLE rest (
    target    TEXT NOT NULL,
    key       TEXT NOT NULL,
    code      TEXT NOT NULL,
    phase     TEXT NOT NULL CHECK (phase IN ('rest', 'verify')),
    until     REAL NOT NULL,
    verify_at REAL NOT NULL,
    PRIMARY KEY (target, key)
) WITHOUT ROWID;

-- What the guard counted and let through, for its sliding hour.
CREATE TABLE guarded (
    target TEXT NOT NULL,
    key    TEXT NOT NULL,
    at     REAL NOT NULL,
    PRIMARY KEY (target, key)
) WITHOUT ROWID;

-- Keys to be read again and sent even if nothing seems to have changed: retry, approve, repair.
CREATE TABLE reread (
    target TEXT NOT NULL,
    key    TEXT NOT NULL,
    code   TEXT NOT NULL,
    lane   INTEGER NOT NULL CHECK (lane IN (0, 1)),
    PRIMARY KEY (target, key)
) WITHOUT ROWID;

-- Targets of which all keys are being computed again (changed settings), and how far that has come.
CREATE TABLE recompute (
    target TEXT PRIMARY KEY,
    after  TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

-- How each loop fares, for `status`.
CREATE TABLE loop (
    name   TEXT PRIMARY KEY,
    at     REAL NOT NULL,
    failed INTEGER NOT NULL CHECK (failed IN (0, 1)),
    text   TEXT NOT NULL DEFAULT '',
    hint   TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
