"""Customers on the Platform surface: contacts, with what they have bought."""

from commerce.api.serializers.customers import CustomerFieldsSerializer
from contacts.api.viewsets import ContactViewSet
from crm.api.platform import PLATFORM
from crm.api.routers import route


class PlatformCustomerViewSet(ContactViewSet):
    """`/customers`."""

    surface = PLATFORM
    serializer_class = CustomerFieldsSerializer
    verbose_name = "Customer"
    verbose_name_plural = "customers"
    filter_names = {"company_id": "account_id"}


urlpatterns = [
    route("customers", PlatformCustomerViewSet, get="list", post="create"),
    route("customers/<uuid:pk>", PlatformCustomerViewSet, get="retrieve", put="update", delete="destroy"),
    route("customers/<uuid:pk>/restore", PlatformCustomerViewSet, post="restore"),
]
