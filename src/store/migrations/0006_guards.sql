-- What guards hold: one open row for each store that decides for an account, and the changes in it as the last cycle planned them. Rows that ended stay
-- for a while, so that `apply` can say what became of them.
CREATE TABLE held (
    id         TEXT PRIMARY KEY,    -- the plan that was held first
    account    TEXT NOT NULL,
    store      TEXT NOT NULL,
    since      INTEGER NOT NULL,
    trips      TEXT NOT NULL,       -- JSON: guard, how many, why
    ended_at   INTEGER,
    ended      TEXT                 -- applied | gone | grown
) WITHOUT ROWID;
CREATE UNIQUE INDEX held_open ON held (account, store) WHERE ended_at IS NULL;

CREATE TABLE held_item (
    held          TEXT NOT NULL,
    seller_sku    TEXT NOT NULL,
    from_quantity INTEGER,
    quantity      INTEGER NOT NULL,
    PRIMARY KEY (held, seller_sku)
) WITHOUT ROWID;

-- Quantities that somebody released: no guard holds them, until they are sent or no longer wanted.
CREATE TABLE released (
    account    TEXT NOT NULL,
    seller_sku TEXT NOT NULL,
    quantity   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (account, seller_sku)
) WITHOUT ROWID;

-- How many products a Commerce had when it was last whole and not shrunken.
ALTER TABLE sweep ADD COLUMN trusted_products INTEGER;
UPDATE sweep SET trusted_products = last_complete_products;
