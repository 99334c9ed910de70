-- What people decided.

-- Stores that may send, since when, and the pair of shop and seller that was meant.
CREATE TABLE live_store (
    store     TEXT PRIMARY KEY,
    since     INTEGER NOT NULL,
    decided   TEXT NOT NULL,        -- config | apply
    base_url  TEXT NOT NULL,
    seller_id TEXT NOT NULL
) WITHOUT ROWID;

-- Nothing is sent for: everything, an account, or a store.
CREATE TABLE pause (
    scope  TEXT NOT NULL,           -- all | account | store
    name   TEXT NOT NULL,
    reason TEXT NOT NULL,
    since  INTEGER NOT NULL,
    until  INTEGER,
    PRIMARY KEY (scope, name)
) WITHOUT ROWID;

-- A person's word on one listing: it keeps what it has, or shows this number.
CREATE TABLE manual (
    account    TEXT NOT NULL,       -- empty: in every account
    seller_sku TEXT NOT NULL,
    quantity   INTEGER,             -- NULL: held as it is
    reason     TEXT NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER,
    PRIMARY KEY (account, seller_sku)
) WITHOUT ROWID;
