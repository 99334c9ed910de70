-- What came of reading back. `unapplied`: quantities in a row that Amazon took in and did not show.
ALTER TABLE listing ADD COLUMN unapplied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE listing ADD COLUMN unapplied_at INTEGER;
ALTER TABLE listing ADD COLUMN evidence TEXT;
CREATE INDEX listing_unapplied ON listing (account, seller_sku) WHERE unapplied > 0;

-- Where Amazon last showed another quantity than was believed, of each listing the newest.
CREATE TABLE drift (
    account    TEXT NOT NULL,
    seller_sku TEXT NOT NULL,
    at         INTEGER NOT NULL,
    cause      TEXT NOT NULL,       -- lost | sale | edit
    expected   INTEGER NOT NULL,
    shown      INTEGER NOT NULL,
    PRIMARY KEY (account, seller_sku)
) WITHOUT ROWID;
