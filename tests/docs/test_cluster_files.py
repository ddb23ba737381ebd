"""The files of the cluster deployment agree with each other; no cluster runs here."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "cluster"
COMPOSE = (DEPLOY / "compose.yml").read_text()
SERVICES = set(re.findall(r"^  ([\w-]+):\n    \S", COMPOSE, re.MULTILINE))


def test_every_server_that_is_named_is_started() -> None:
    cluster = ElementTree.parse(DEPLOY / "clickhouse" / "cluster.xml")
    shards = [
        [host.text for host in shard.iter("host")]
        for shard in cluster.findall("remote_servers/main/shard")
    ]
    assert [len(replicas) for replicas in shards] == [2, 2]
    named = {str(host) for replicas in shards for host in replicas}
    named |= {str(host.text) for host in cluster.findall("zookeeper/node/host")}
    assert named <= SERVICES
    keeper = ElementTree.parse(DEPLOY / "keeper" / "keeper.xml")
    raft = {str(host.text) for host in keeper.iter("hostname")}
    assert len(raft) == 3
    assert raft <= SERVICES


def test_macros_say_where_a_replica_stands() -> None:
    cluster = ElementTree.parse(DEPLOY / "clickhouse" / "cluster.xml")
    macros = cluster.find("macros")
    assert macros is not None
    assert {macro.tag for macro in macros} == {"shard", "replica"}
    for name in ("clickhouse-1-1", "clickhouse-1-2", "clickhouse-2-1", "clickhouse-2-2"):
        assert f'environment: {{SHARD: "{name[-3]}", REPLICA: {name}}}' in COMPOSE


def test_the_service_talks_to_the_cluster_and_its_user() -> None:
    users = ElementTree.parse(DEPLOY / "clickhouse" / "users.xml")
    (user,) = users.findall("users/*")
    assert f"http://{user.tag}:{user.findtext('password')}@clickhouse-1-1:8123/" in COMPOSE
    assert "GROUNDSWELL_CLICKHOUSE_CLUSTER: main" in COMPOSE
    assert set(re.findall(r"\./([\w/.]+):/", COMPOSE)) == {
        str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*.xml")
    }
