"""Companies (accounts), contacts, customers and timelines on the Platform surface."""

from rest_framework import serializers

from contacts.api.resources import Companies, Contacts, Timeline
from contacts.api.shapes import CompanyFields, CompanyRef, ContactFields, CustomerFields, TimelineEntry
from crm.api.platform import PLATFORM
from crm.api.routes import resource, route


class PlatformAccounts(Companies):
    """`/accounts`."""

    surface = PLATFORM
    shape = CompanyFields
    noun = "Account"


class PlatformContact(ContactFields):
    """A contact with its account."""

    company_id = None  # type: ignore[assignment]  # DRF's way to take a field back
    account_id = serializers.UUIDField(source="company_id", required=False, allow_null=True)
    account = CompanyRef(source="company", read_only=True)


class PlatformContacts(Contacts):
    """`/contacts`."""

    surface = PLATFORM
    shape = PlatformContact
    renames = {"company_id": "account_id"}


class PlatformCustomers(Contacts):
    """`/customers`."""

    surface = PLATFORM
    shape = CustomerFields
    noun = "Customer"
    plural = "customers"
    renames = {"company_id": "account_id"}


class PlatformTimeline(Timeline):
    """`/contacts/{id}/timeline`."""

    surface = PLATFORM
    shape = TimelineEntry


urlpatterns = [
    *resource("accounts", PlatformAccounts),
    *resource("contacts", PlatformContacts),
    route("customers", PlatformCustomers, get="list", post="create"),
    route("customers/<uuid:pk>", PlatformCustomers, get="retrieve", put="update", delete="destroy"),
    route("customers/<uuid:pk>/restore", PlatformCustomers, post="restore"),
    route("contacts/<uuid:pk>/timeline", PlatformTimeline, get="list", post="create"),
]
