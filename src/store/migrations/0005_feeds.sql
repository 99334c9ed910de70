-- What waits for an open feed to end stands apart, or every choice of what goes next would step over all of it. A zero
-- does not wait.
ALTER TABLE outbox ADD COLUMN fenced INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET fenced = 1 WHERE quantity > 0 AND EXISTS (SELECT 1 FROM feed_item AS f
    WHERE f.account = outbox.account AND f.seller_sku = outbox.seller_sku);
DROP INDEX outbox_in_order;
CREATE INDEX outbox_in_order ON outbox (account, fenced, deadline, gap DESC, seller_sku);

-- When Amazon was asked to create it: an order counts against Amazon's limits, whatever became of it.
ALTER TABLE feed ADD COLUMN left_at INTEGER;
UPDATE feed SET left_at = COALESCE(created_at, made_at) WHERE state <> 'building';
-- Since when it is looked for, where no answer said whether it was created.
ALTER TABLE feed ADD COLUMN searched_at INTEGER;
