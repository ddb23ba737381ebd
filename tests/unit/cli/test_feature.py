"""The `feature` command, in this process."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from groundswell.cli.feature import feature
from groundswell.cli.tenancy import create_org
from groundswell.errors import NotFound, UserError


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    create_org("acme", data=tmp_path)
    capsys.readouterr()
    return tmp_path


def test_a_switch_is_turned_and_listed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feature("acme", "profiling", "off", data=data, json=True)
    assert msgspec.json.decode(capsys.readouterr().out) == {"name": "profiling", "enabled": False}

    feature("acme", data=data, json=True)
    listed = {
        each["name"]: each["enabled"] for each in msgspec.json.decode(capsys.readouterr().out)
    }
    assert (listed["profiling"], listed["dashboards-basic"]) == (False, True)


@pytest.mark.parametrize(
    ("org", "name", "state", "error"),
    [
        ("acme", "nope", "on", UserError),
        ("acme", "profiling", "maybe", UserError),
        ("nobody", "profiling", "on", NotFound),
    ],
)
def test_words_that_mean_nothing_are_refused(
    data: Path, org: str, name: str, state: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        feature(org, name, state, data=data)
