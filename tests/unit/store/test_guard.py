"""What a reader may be given: one SELECT, and nothing that leaves the engine."""

from __future__ import annotations

import pytest

from groundswell.errors import StoreError
from groundswell.store.engine.guard import refuse_unsafe


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " (SELECT 1) UNION ALL (SELECT 2)",
        "WITH 1 AS x SELECT x",
        "/* req=1 */ SELECT 1 -- into; outfile",
        "EXPLAIN indexes = 1 SELECT 1",
        "SELECT 'a; into outfile ''x'' \\' ;' AS `into;` FROM t WHERE tags[{k:String}] = \"d\"",
        "SELECT intoxicated, python_version FROM t",
        "SELECT 'ünïcode'",
    ],
)
def test_printed_sql_passes(sql: str) -> None:
    refuse_unsafe(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1;",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 into/**/outfile '/tmp/x'",
        "SELECT 1 INTO\nOUTFILE `x`",
        "SELECT * FROM python('x')",
        "BACKUP DATABASE default TO File('/tmp/x')",
        "INSERT INTO t SELECT 1",
        "DROP TABLE errors",
        "SET readonly = 0",
        "",
        "SELECT 'open",
        "SELECT `open",
        "SELECT 1 /* open",
        "SELECT /* /* */ */ 1",
        "SELECT $x$ ' $x$; DROP TABLE t -- '",
        "SELECT ‘a’",
        "SELECT 1 // into",
        "SELECT 1 # into",
    ],
)
def test_everything_else_is_refused(sql: str) -> None:
    with pytest.raises(StoreError, match="Refused"):
        refuse_unsafe(sql)
