"""Companies (accounts), contacts and timelines on the Platform surface."""

from rest_framework import serializers

from contacts.api.serializers import (
    CompanyFieldsSerializer,
    CompanyRefSerializer,
    ContactFieldsSerializer,
    TimelineEntrySerializer,
)
from contacts.api.viewsets import CompanyViewSet, ContactViewSet, TimelineViewSet
from crm.api.platform import PLATFORM
from crm.api.routers import resource, route


class PlatformAccountViewSet(CompanyViewSet):
    """`/accounts`."""

    surface = PLATFORM
    serializer_class = CompanyFieldsSerializer
    verbose_name = "Account"
    verbose_name_plural = "accounts"


class PlatformContactSerializer(ContactFieldsSerializer):
    """A contact with its account."""

    company_id = None  # type: ignore[assignment]  # DRF's way to take a field back
    account_id = serializers.UUIDField(source="company_id", required=False, allow_null=True)
    account = CompanyRefSerializer(source="company", read_only=True)


class PlatformContactViewSet(ContactViewSet):
    """`/contacts`."""

    surface = PLATFORM
    serializer_class = PlatformContactSerializer
    filter_names = {"company_id": "account_id"}


class PlatformTimelineViewSet(TimelineViewSet):
    """`/contacts/{id}/timeline`."""

    surface = PLATFORM
    serializer_class = TimelineEntrySerializer


urlpatterns = [
    *resource("accounts", PlatformAccountViewSet),
    *resource("contacts", PlatformContactViewSet),
    route("contacts/<uuid:pk>/timeline", PlatformTimelineViewSet, get="list", post="create"),
]
