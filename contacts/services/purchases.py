"""What a customer has bought, as SQL over a contact: zero as long as nothing is sold.

Every list and page of customers reads these two, and nothing else counts orders per contact.
"""

from django.db.models import FloatField, IntegerField, Value

TOTAL_ORDERS = Value(0, output_field=IntegerField())
TOTAL_VALUE = Value(0.0, output_field=FloatField())  # major units of the organization's currency
