//! What differs from the recorded server, and why it may.

const NOT_SIMULATED: &str = "a route that no reader asks";
const CHILDREN: &str = "options and links of composites and downloads, which no reader looks at";
const ROW_ORDER: &str = "source item ids and the order of unsorted rows are the database's own";
const MIN_SALE: &str = "the least quantity of a sale is the same for all products here";
const WRITE: &str = "what is written goes through the control routes here; the answers after it are compared";
const LOW_STOCK_DATE: &str = "which ways of writing set the date of low stock was not found out";
const TWO_FACTOR: &str = "a shop here has two-factor sign-in set up, and nobody with a second factor";

/// By file and the start of the name.
pub(super) const DIFFERENCES: [(&str, &str, &str); 52] = [
    ("salable.json", "requested qty", NOT_SIMULATED),
    ("stockStatuses.json", "A25-minsale10", MIN_SALE),
    ("stockItems.json", "A25-minsale10", MIN_SALE),
    ("source_items.json", "filter source_code eq eu1", ROW_ORDER),
    ("source_items.json", "filter source_item_id gt 100", ROW_ORDER),
    ("source_items.json", "keyset source_item_id gt 50", ROW_ORDER),
    ("inventory.json", "lowStock", ROW_ORDER),
    ("inventory.json", "get-sources-assigned", NOT_SIMULATED),
    ("inventory.json", "low-quantity-notification", NOT_SIMULATED),
    ("products_list.json", "size 0", CHILDREN),
    ("products_list.json", "size only empty criteria", CHILDREN),
    ("products_list.json", "searchCriteria=all", CHILDREN),
    ("products_list.json", "filter visibility neq 1", "every product is visible by itself here"),
    ("product_single.json", "C1-conf", CHILDREN),
    ("product_single.json", "C2-conf", CHILDREN),
    ("product_single.json", "C3-conf", CHILDREN),
    ("product_single.json", "C4-conf", CHILDREN),
    ("product_single.json", "B", CHILDREN),
    ("product_single.json", "G1-grouped", CHILDREN),
    ("product_single.json", "A24-downloadable", CHILDREN),
    ("product_single.json", "A50-new-unindexed", "its price is whole and it has no weight"),
    ("store.json", "store/storeGroups", NOT_SIMULATED),
    ("store.json", "directory/currency", NOT_SIMULATED),
    ("store.json", "products/types", NOT_SIMULATED),
    ("store.json", "products/attribute-sets", NOT_SIMULATED),
    ("store.json", "magento_version", NOT_SIMULATED),
    ("store.json", "schema-probe", NOT_SIMULATED),
    ("errors_misc.json", "accept xml", "answers are JSON or an error page"),
    ("errors_misc.json", "gzip", "the recording kept the compressed bytes"),
    ("errors_misc.json", "HEAD", "HTTP takes the body away after this"),
    ("experiments_index.json", "PUT", WRITE),
    ("experiments_index.json", "POST", WRITE),
    ("experiments_index.json", "before dump A11", "a product was new then that is in the index here"),
    ("experiments_index.json", "after PUT (no reindex) dump A11", "a product was new then that is in the index here"),
    ("experiments_index.json", "after PUT is_in_stock=false qty 50 status", LOW_STOCK_DATE),
    ("experiments_index.json", "after PUT is_in_stock=false qty 50 item", LOW_STOCK_DATE),
    ("experiments_index.json", "after POST source-items status 0 status", LOW_STOCK_DATE),
    ("experiments_index.json", "after POST source-items status 0 item", LOW_STOCK_DATE),
    ("experiments_updated_at.json", "PUT", WRITE),
    ("experiments_updated_at.json", "POST", WRITE),
    ("errors_auth.json", "oauth POST json", WRITE),
    ("low_stock_bulk.json", "lowStock scopeId=0&qty=5", ROW_ORDER),
    ("low_stock_bulk.json", "lowStock scopeId=0&qty=0", ROW_ORDER),
    ("low_stock_bulk.json", "lowStock qty=5&scopeId=0&currentPage=0", ROW_ORDER),
    ("config_2fa_enabled.json", "2FA module on: admin token", TWO_FACTOR),
    ("config_2fa_enabled.json", "2FA on: admin token again", TWO_FACTOR),
    ("config_2fa_enabled.json", "2FA on: provider endpoint", TWO_FACTOR),
    ("config_2fa_enabled.json", "2FA google forced, user not configured", TWO_FACTOR),
    ("config_2fa_enabled.json", "2FA google: wrong otp", TWO_FACTOR),
    ("config_2fa_enabled.json", "2FA google: right otp", TWO_FACTOR),
    ("config_bearer_jwt.json", "old token after lockout", "a token from before their life was cut to a minute"),
    ("config_bearer_jwt.json", "right password after log cleared", "somebody took the lock away"),
];

/// Files that are not replayed here.
pub(super) const ELSEWHERE: [(&str, &str); 2] = [
    ("oauth_vectors.json", "signatures, which the tests of the signature check one by one"),
    ("concurrency.json", "how requests slow each other down, which nothing here does"),
];
