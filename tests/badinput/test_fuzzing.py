"""The three documents, fuzzed by schemathesis in process: an owner's and a staff member's requests, the same every run.

Nothing may fail with 5xx, and every answer must be one that the document tells of.
"""

from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crm.api.documents import document_of
from tests.badinput.operations import Attacker, Operation, operations
from tests.isolation.tenants import Tenant

ROUNDS = (
    ("owner", GenerationMode.POSITIVE),
    ("owner", GenerationMode.NEGATIVE),
    ("staff", GenerationMode.POSITIVE),
)
EXAMPLES = 8


def nothing_fails(context: Any, response: Any, case: Case) -> None:
    """Refuse every 5xx, but for what this deployment says it has not set up."""
    if b"_not_configured" not in response.content.lower():
        not_a_server_error(context, response, case)


CHECKS = [nothing_fails, status_code_conformance, content_type_conformance, response_schema_conformance]


@cache
def schema_of(surface: str) -> Any:
    """The document as schemathesis reads it, calling the application itself."""
    config = SchemathesisConfig()
    config.projects.default.generation.with_security_parameters = False
    schema = schemathesis.openapi.from_dict(document_of(surface), config=config)
    schema.app = get_wsgi_application()
    return schema


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("person", "mode"), ROUNDS, ids=[f"{person}-{mode.value}" for person, mode in ROUNDS])
@pytest.mark.parametrize("operation", operations(), ids=str)
def test_the_document_holds(operation: Operation, mode: GenerationMode, person: str, tenant: Tenant):
    described = schema_of(operation.surface)[operation.path][operation.method]
    attacker = Attacker(operation, tenant, person)
    # With these, hypothesis makes the same requests in every run, and stores none of them.
    fixed = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @fixed
    @given(case=described.as_strategy(mode), is_real=st.integers(0, 4))
    def ask(case: Case, is_real: int) -> None:
        if operation.identifiers or operation.surface == "storefront":
            real = {**attacker.values, "shop": tenant.slug}
            names = set(case.path_parameters) if is_real else {"shop"}
            case.path_parameters = {**case.path_parameters, **{name: str(real[name]) for name in names if name in real}}
        if not operation.route.is_public:
            attacker.sign_in()
        case.call_and_validate(headers={"Authorization": f"Bearer {attacker.token}"}, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        pytest.skip("nothing to get wrong here")
