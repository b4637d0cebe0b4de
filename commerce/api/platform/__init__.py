"""Commerce on the Platform surface."""

from typing import Any

from commerce.api.platform import terms

urlpatterns: list[Any] = [*terms.urlpatterns]
