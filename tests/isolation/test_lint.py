"""The third net: outside the modules that own a table, no code reaches past the doors that know the tenant."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# What starts from every organization's rows, or from SQL of one's own.
FORBIDDEN_CALLS = {"raw", "cursor", "get_object_or_404", "get_list_or_404", "RawSQL", "extra"}
FORBIDDEN_ATTRIBUTES = {"_base_manager", "_default_manager"}
# The first question to `.objects` that narrows it to the organization.
DOORS = {"of", "visible_to"}
OUTER_LAYERS = ("api", "admin", "admin_site", "tasks", "management")

# (file, what) -> reason. A question whose first call names `organization_id`, or that stands below `with operator(…)`,
# whose steps are listed with their reasons, is no exception.
ALLOWED_OUTSIDE: dict[tuple[str, str], str] = {}
ALLOWED_IN_SERVICES: dict[tuple[str, str], str] = {
    ("accounts/services/lockout.py", "Session.objects.filter"): "called by the sign-in, in its operator's step",
    (
        "accounts/services/operator_events.py",
        "OperatorEvent.objects.filter",
    ): "events of operators, who belong to no organization; called in their step",
    ("accounts/services/operator_sign_in.py", "User.objects.filter"): "operators alone, evaluated in their step",
    (
        "accounts/services/operator_totp.py",
        "OperatorTotp.objects.filter",
    ): "second factors of operators, who belong to no organization; called in their step",
    (
        "accounts/services/registration.py",
        "User.objects.filter",
    ): "called by a management command, in its operator's step",
    (
        "accounts/services/organizations.py",
        "Organization.objects.filter",
    ): "an organization's own row, by the actor's organization",
    ("sales/services/schedule.py", "Organization.objects.filter"): "an organization's own row, by its message's id",
    (
        "accounts/services/address_accounts.py",
        "User.objects.filter",
    ): "called by the sign-in and forgotten passwords, in their operator's step",
}
SHARED = {"RateCounter"}  # tables that no organization owns
MAKING = {"create", "bulk_create", "bulk_update", "get_or_create"}  # the row itself names its organization


def test_no_outer_layer_reaches_past_the_doors() -> None:
    found = [hit for path in _modules(OUTER_LAYERS) for hit in _hits(path, with_sql=True) if hit not in ALLOWED_OUTSIDE]

    assert found == [], "Start from `.objects.of(actor)` or `.visible_to(actor)`, or add it with its reason."


def test_every_question_of_a_service_begins_with_the_organization() -> None:
    found = [
        hit for path in _modules(("services",)) for hit in _hits(path, with_sql=False) if hit not in ALLOWED_IN_SERVICES
    ]

    assert found == [], "Start from `.objects.of(actor)` or `.visible_to(actor)`, or add it with its reason."


def test_every_exception_of_the_lint_is_still_needed_and_has_a_reason() -> None:
    hits = {hit for path in _modules((*OUTER_LAYERS, "services")) for hit in _hits(path, with_sql=True)}
    allowed = ALLOWED_OUTSIDE | ALLOWED_IN_SERVICES

    assert set(allowed) - hits == set()
    assert all(len(reason) > 20 for reason in allowed.values())


def test_only_the_tenancy_module_changes_the_database_s_role_or_scope() -> None:
    words = ("SET LOCAL", "SET ROLE", "set_config", "crm_operator")
    allowed = {"crm/core/db/scope.py", "crm/core/db/operations.py", "crm/core/provision.py", "crm/core/idempotency.py"}
    found = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if any(word in node.value for node in ast.walk(_tree(path)) if _is_text(node) for word in words)
    }

    assert {name for name in found - allowed if "/migrations/" not in name} == set()


def test_row_locks_let_others_refer_to_the_row() -> None:
    """Primary keys never change: FOR UPDATE without NO KEY would make inserts that refer to the row wait."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "select_for_update"
        and not any(keyword.arg == "no_key" for keyword in node.keywords)
        and path.name != "outbox.py"  # nothing refers to messages
    ]

    assert found == []


def test_only_the_base_class_reads_a_body() -> None:
    """`self.validate()` is how the walk learns of a body; `request.data` would be a way that it does not see."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _modules(("api",))
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr in {"data", "POST", "FILES", "body"}
        and _ends_with_request(node.value)
    ]

    assert found == []


def _sources() -> Iterator[Path]:
    for config in apps.get_app_configs():
        directory = Path(config.path)
        if directory.is_relative_to(ROOT) and ".venv" not in directory.parts:
            yield from sorted(directory.rglob("*.py"))


def _modules(layers: tuple[str, ...]) -> Iterator[Path]:
    """The modules of the apps' layers; the kernel and the wire kit under crm are the doors themselves."""
    for path in _sources():
        parts = path.relative_to(ROOT).parts
        if parts[0] != "crm" and any(part.removesuffix(".py") in layers for part in parts[1:]):
            yield path


def _hits(path: Path, *, with_sql: bool) -> Iterator[tuple[str, str]]:
    name = str(path.relative_to(ROOT))
    tree = _tree(path)
    excused = _narrowed(tree) | _in_operator_step(tree)
    asked = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "objects":
            question = asked.get(id(node), "")
            is_making = question in MAKING and not with_sql
            if id(node) not in excused and not is_making and ast.unparse(node.value) not in SHARED:
                yield name, f"{ast.unparse(node)}.{question}".rstrip(".")
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
            yield name, ast.unparse(node)
        elif with_sql and isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in FORBIDDEN_CALLS:
                yield name, called


def _narrowed(tree: ast.Module) -> set[int]:
    """Every `.objects` that goes through a door, or whose first question names the organization."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in DOORS:
            found.add(id(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _names_organization(node):
            found.add(id(node.func.value))
    return found


def _names_organization(call: ast.Call) -> bool:
    return any(keyword.arg == "organization_id" for keyword in call.keywords)


def _in_operator_step(tree: ast.Module) -> set[int]:
    """Everything below `with operator("…")`."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any("operator(" in ast.unparse(item.context_expr) for item in node.items)
        for inner in ast.walk(node)
    }


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _ends_with_request(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id == "request") or (
        isinstance(node, ast.Attribute) and node.attr == "request"
    )
