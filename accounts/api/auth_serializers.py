"""Bodies of signing in and out, declared once in the domain's names; surfaces set the casing."""

from typing import Any

from rest_framework import serializers

from accounts.models import CompanySize
from accounts.services.names import LONGEST_PART
from crm.api.fields import OptionalCharField, OptionalChoiceField
from crm.api.serializers import Serializer

LONGEST_PASSWORD = 128
LONGEST_TOKEN = 1024
LONGEST_SLUG = 63
LONGEST_FULL_NAME = 2 * LONGEST_PART + 1
SIZES = dict(zip(("micro", "small", "medium", "large", "enterprise"), CompanySize.values, strict=True))


class Password(serializers.CharField):
    """A password as it was typed, blanks included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": LONGEST_PASSWORD, "trim_whitespace": False, "write_only": True} | kwargs))


class Secret(serializers.CharField):
    """A token."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": LONGEST_TOKEN} | kwargs))


class CompanySizeField(OptionalChoiceField):
    """A range of employees, or the word for it."""

    def __init__(self, **kwargs: Any) -> None:
        pairs = [(value, value) for value in (*CompanySize.values, *SIZES)]
        super().__init__(pairs, **({"allow_null": True, "allow_blank": True} | kwargs))

    def to_internal_value(self, data: Any) -> Any:
        """Return the range."""
        given = super().to_internal_value(data)
        return SIZES.get(given, given)


class AddressSerializer(Serializer):
    """An e-mail address."""

    email = serializers.EmailField(max_length=254)


class CredentialsSerializer(AddressSerializer):
    """What signs in."""

    password = Password()


class RefreshSerializer(Serializer):
    """A refresh token."""

    refresh_token = Secret()


class JoiningSerializer(Serializer):
    """The acceptance of an invitation; role and address are the invitation's, whatever a body says."""

    token = Secret()
    password = Password()
    full_name = OptionalCharField(max_length=LONGEST_FULL_NAME)
    first_name = OptionalCharField(max_length=LONGEST_PART)
    last_name = OptionalCharField(max_length=LONGEST_PART)
    role = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)


class NewPasswordSerializer(Serializer):
    """A new password by a mailed link."""

    token = Secret()
    password = Password()


class VerificationSerializer(Serializer):
    """A mailed token that proves an address; who is not signed in gives the account's password, or a new one."""

    token = Secret()
    password = Password(required=False)
    new_password = Password(required=False)
