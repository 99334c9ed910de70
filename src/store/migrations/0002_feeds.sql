-- Feeds: documents with the changes of up to 25,000 listings. Those that have ended stay for a while: from them is learnt
-- how long a feed takes.
CREATE TABLE feed (
    id         TEXT PRIMARY KEY,    -- ours: it is there before Amazon gives one
    account    TEXT NOT NULL,
    state      TEXT NOT NULL,       -- building | creating | open | stuck | done | fatal | cancelled | lost
    feed_id    TEXT,                -- Amazon's
    messages   INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,    -- its changes left the outbox then
    created_at INTEGER,             -- Amazon took it then
    ended_at   INTEGER
) WITHOUT ROWID;
CREATE INDEX feed_by_account ON feed (account, made_at);

-- What is on its way in feeds that have not ended: slots of the outbox, until their outcome is known.
CREATE TABLE feed_item (
    feed        TEXT NOT NULL,
    message     INTEGER NOT NULL,
    account     TEXT NOT NULL,
    seller_sku  TEXT NOT NULL,
    plan_id     TEXT NOT NULL,
    store       TEXT NOT NULL,
    country     TEXT NOT NULL,
    marketplace TEXT NOT NULL,
    from_quantity INTEGER,
    quantity    INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    since       INTEGER NOT NULL,
    planned_at  INTEGER NOT NULL,
    deadline    INTEGER NOT NULL,
    gap         INTEGER NOT NULL,
    reasons     TEXT NOT NULL,
    basis       TEXT NOT NULL,
    doubted     INTEGER,            -- what was in doubt before
    PRIMARY KEY (feed, message)
) WITHOUT ROWID;
-- Nothing but a zero is sent to a listing that is in here.
CREATE UNIQUE INDEX feed_fence ON feed_item (account, seller_sku);
