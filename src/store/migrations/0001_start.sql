-- Times are milliseconds since 1970 UTC; stock quantities are ten-thousandths; SKUs compare byte for byte.

-- Commerce: the newest reading of every product.
CREATE TABLE product (
    commerce   TEXT NOT NULL,
    sku        TEXT NOT NULL,
    product_id INTEGER NOT NULL,
    type_id    TEXT NOT NULL,
    enabled    INTEGER NOT NULL,
    website_ids TEXT NOT NULL,      -- separated by blanks
    managed    INTEGER,             -- NULL: Commerce did not say how the product's stock is configured
    backorders INTEGER,
    min_qty    INTEGER,
    updated_at TEXT,                -- as Commerce writes it; stock moves do not touch it
    read_at    INTEGER NOT NULL,    -- when its stock was last read exactly
    tier       TEXT NOT NULL,       -- which reading that was: full | sweep | exact
    PRIMARY KEY (commerce, sku)
) WITHOUT ROWID;
CREATE INDEX product_by_id ON product (commerce, product_id);

CREATE TABLE stock (
    commerce   TEXT NOT NULL,
    sku        TEXT NOT NULL,
    website    TEXT NOT NULL,
    state      TEXT NOT NULL,       -- level | absent | no_source | unknown
    salable    INTEGER,
    is_salable INTEGER,
    problem    TEXT,
    PRIMARY KEY (commerce, sku, website)
) WITHOUT ROWID;

-- Products that may have moved since they were last read. Nothing is decided for them until they are read again.
CREATE TABLE suspect (
    commerce TEXT NOT NULL,
    sku      TEXT NOT NULL,
    urgency  INTEGER NOT NULL,      -- 0 orders, 1 the rest, 2 those that are asked about whole
    first    INTEGER NOT NULL,      -- suspect since then: their order
    since    INTEGER NOT NULL,      -- a reading that began then or later ends it
    cause    TEXT NOT NULL,         -- order | index | product | settings | whole
    listed   INTEGER NOT NULL DEFAULT 0, -- an index lists it since then, or no longer: it may be elsewhere, or gone
    PRIMARY KEY (commerce, sku)
) WITHOUT ROWID;
CREATE INDEX suspect_in_order ON suspect (commerce, urgency, first, sku);

-- The stock index as it was last dumped: compared with the next dump, never sent.
CREATE TABLE stock_index (
    commerce   TEXT NOT NULL,
    website    TEXT NOT NULL,
    sku        TEXT NOT NULL,
    qty        INTEGER NOT NULL,
    is_salable INTEGER NOT NULL,
    PRIMARY KEY (commerce, website, sku)
) WITHOUT ROWID;

-- How far each watch has come: a time, a page or an id, whatever it goes by.
CREATE TABLE watch (
    commerce TEXT NOT NULL,
    part     TEXT NOT NULL,
    mark     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (commerce, part)
) WITHOUT ROWID;

-- Orders whose products were read since they changed. Windows overlap, and these are not read twice.
CREATE TABLE seen_order (
    commerce   TEXT NOT NULL,
    order_id   INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (commerce, order_id)
) WITHOUT ROWID;

CREATE TABLE attribute (
    commerce TEXT NOT NULL,
    code     TEXT NOT NULL,
    value    TEXT NOT NULL,
    sku      TEXT NOT NULL,
    PRIMARY KEY (commerce, code, value, sku)
) WITHOUT ROWID;
CREATE INDEX attribute_by_sku ON attribute (commerce, sku);

CREATE TABLE website (
    commerce   TEXT NOT NULL,
    website_id INTEGER NOT NULL,
    code       TEXT NOT NULL,
    PRIMARY KEY (commerce, website_id)
) WITHOUT ROWID;

CREATE TABLE sweep (
    commerce    TEXT PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    complete    INTEGER NOT NULL,
    products    INTEGER NOT NULL,
    problem     TEXT,
    last_complete_at INTEGER,
    last_complete_products INTEGER,
    tier        TEXT NOT NULL,      -- full | watch
    edition     TEXT NOT NULL,      -- what was detected, for people
    fresh_since INTEGER NOT NULL,   -- readings from before count as unknown
    requests    INTEGER NOT NULL,
    busy_ms     INTEGER NOT NULL    -- the shop's time: the sum over its requests
) WITHOUT ROWID;

-- Amazon: every listing, and what we believe about it.
CREATE TABLE listing (
    account     TEXT NOT NULL,
    seller_sku  TEXT NOT NULL,
    marketplaces TEXT NOT NULL,     -- ids separated by blanks, sorted
    channel     TEXT NOT NULL DEFAULT '',
    live        INTEGER NOT NULL DEFAULT 0,
    looked_at   INTEGER,
    observed    INTEGER,
    observed_at INTEGER,
    accepted    INTEGER,
    accepted_at INTEGER,
    submission_id TEXT,
    prior       INTEGER,
    in_doubt    INTEGER,
    basis       TEXT,
    failures    INTEGER NOT NULL DEFAULT 0,
    refused_at  INTEGER,
    retry_at    INTEGER,
    refusal     TEXT,
    PRIMARY KEY (account, seller_sku)
) WITHOUT ROWID;

CREATE TABLE discovery (
    account     TEXT NOT NULL,
    marketplace TEXT NOT NULL,
    at          INTEGER NOT NULL,
    listings    INTEGER NOT NULL,
    PRIMARY KEY (account, marketplace)
) WITHOUT ROWID;

-- What is to be sent: one slot per listing, the newest value wins.
CREATE TABLE outbox (
    account     TEXT NOT NULL,
    seller_sku  TEXT NOT NULL,
    plan_id     TEXT NOT NULL,
    store       TEXT NOT NULL,
    country     TEXT NOT NULL,
    marketplace TEXT NOT NULL,
    from_quantity INTEGER,
    quantity    INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    since       INTEGER NOT NULL,   -- waits since then, under this and earlier plans
    planned_at  INTEGER NOT NULL,   -- its own plan began to look then
    deadline    INTEGER NOT NULL,
    gap         INTEGER NOT NULL,
    reasons     TEXT NOT NULL,
    basis       TEXT NOT NULL,
    PRIMARY KEY (account, seller_sku)
) WITHOUT ROWID;
CREATE INDEX outbox_in_order ON outbox (account, deadline, gap DESC, seller_sku);

-- Every plan, before any of it takes effect.
CREATE TABLE plan (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    cause       TEXT NOT NULL,
    scope       TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    planned_at  INTEGER NOT NULL,
    products    INTEGER NOT NULL,
    listings    INTEGER NOT NULL,
    changes     INTEGER NOT NULL,
    queued      INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    conflicts   INTEGER NOT NULL,
    withheld    TEXT NOT NULL,      -- JSON object: reason code to count
    problem     TEXT
) WITHOUT ROWID;
CREATE INDEX plan_by_account ON plan (account, planned_at);

-- Every decision that reached Amazon.
CREATE TABLE journal (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    account     TEXT NOT NULL,
    seller_sku  TEXT NOT NULL,
    store       TEXT NOT NULL,
    from_quantity INTEGER,
    quantity    INTEGER NOT NULL,
    reasons     TEXT NOT NULL,
    reading     TEXT NOT NULL,
    lane        TEXT NOT NULL,
    plan_id     TEXT NOT NULL,
    submission_id TEXT,
    outcome     TEXT NOT NULL,      -- accepted | rejected | no_answer
    detail      TEXT
);
CREATE INDEX journal_by_sku ON journal (seller_sku, at);
CREATE INDEX journal_by_time ON journal (at);

-- An account that cannot be worked at the moment, and why.
CREATE TABLE trouble (
    account  TEXT PRIMARY KEY,
    since    INTEGER NOT NULL,
    text     TEXT NOT NULL,
    retry_at INTEGER NOT NULL
) WITHOUT ROWID;
