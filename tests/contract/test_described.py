"""What the description allows never breaks the service, and answers are as described."""

from __future__ import annotations

from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from groundswell.demo.service import ServiceProcess

ORG = "described"
NAMES = {"org": ORG, "slug": "web", "user": "me", "issue": "WEB-1", "dashboard": "1", "saved": "1"}
# These would take away what the other examples are about.
KEPT = {"remove_project", "remove_key"}


@pytest.fixture(scope="module")
def described(service: ServiceProcess) -> tuple[Any, dict[str, str]]:
    service.cli("org", "create", ORG)
    service.cli("project", "create", ORG, "web")
    token = msgspec.json.decode(service.cli("token", "create", ORG))["token"]
    schema = schemathesis.openapi.from_url(f"{service.url}/api/openapi.json")
    operations = [each.ok() for each in schema.get_all_operations()]
    chosen = [o for o in operations if o.definition.raw["operationId"] not in KEPT]
    return chosen, {"Authorization": f"Bearer {token}"}


@hypothesis.given(data=st.data())
@hypothesis.settings(
    max_examples=120, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
def test_nothing_that_is_described_breaks_it(
    described: tuple[Any, dict[str, str]], data: st.DataObject
) -> None:
    operations, headers = described
    operation = data.draw(st.sampled_from(operations))
    case = data.draw(operation.as_strategy())
    case.path_parameters = {
        name: NAMES.get(name, value) for name, value in (case.path_parameters or {}).items()
    }
    answer = case.call(headers=headers, timeout=30)
    case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
