"""Our reading SQL on a Distributed table over two shards, both inside this engine.

Partial aggregation, merging and subqueries are planned as on a real cluster; the network,
replication and writing through it are not covered.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys
from pathlib import Path
import clickhouse_connect

folder = Path(sys.argv[1])
shard = "<shard><replica><host>127.0.0.1</host><port>19000</port></replica></shard>"
(folder / "config.xml").write_text(
    "<clickhouse><tcp_port>19000</tcp_port><remote_servers><main>"
    + shard * 2 + "</main></remote_servers></clickhouse>"
)
client = clickhouse_connect.get_client(
    interface="chdb", path=str(folder / "store"),
    chdb_options={"config-file": str(folder / "config.xml")},
    settings={"distributed_product_mode": "global"},
)
for number in (1, 2):
    client.command(f"CREATE TABLE s{number} (name String, user String, ms UInt32)"
                   " ENGINE = MergeTree ORDER BY name")
    client.command(f"INSERT INTO s{number} SELECT concat('t', toString(number % 7)),"
                   f" toString(number), number + {number} FROM numbers(100)")
client.command("CREATE VIEW shards AS SELECT * FROM s1 WHERE shardNum() = 1"
               " UNION ALL SELECT * FROM s2 WHERE shardNum() = 2")
client.command("CREATE TABLE rows AS s1 ENGINE = Distributed(main, currentDatabase(), shards)")
ask = lambda sql: [list(row) for row in client.query(sql).result_rows]
top = "SELECT name FROM rows GROUP BY name ORDER BY count() DESC, name LIMIT 2"
print(json.dumps({
    "shards": ask("SELECT _shard_num, count() FROM rows GROUP BY 1 ORDER BY 1"),
    "users": ask("SELECT uniq(user) FROM rows"),
    "p95": ask("SELECT quantileExactInclusive(0.95)(ms) FROM rows"),
    "others": ask(f"SELECT if(name IN ({top}), name, 'Other') AS k, count() FROM rows"
                  " GROUP BY k ORDER BY k"),
}))
"""


def test_questions_give_the_same_over_two_shards(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers["shards"] == [[1, 100], [2, 100]]
    assert answers["users"] == [[100]]
    assert answers["p95"] == [[96.0]]
    assert answers["others"] == [["Other", 140], ["t0", 30], ["t1", 30]]
