"""Bodies of new users."""

from uuid import uuid4

from tests.conftest import PASSWORD

NEW_PASSWORD = "a-better-battery-10"


def new_user(**fields):
    """A member's body; a field set to None is left out."""
    body = {
        "email": f"{uuid4().hex[:12]}@example.com",
        "full_name": "Ann de Lee",
        "role": "sales",
        "password": PASSWORD,
    }
    return {name: value for name, value in (body | fields).items() if value is not None}
