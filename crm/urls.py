"""Where everything is mounted. `/api/v1` stands before `/api`, whose catch-all would take it."""

from django.conf import settings
from django.contrib import admin
from django.urls import path

from crm.api import documents, health
from crm.api.platform import PLATFORM
from crm.api.routers import mounted
from crm.api.storefront import STOREFRONT
from crm.api.team import TEAM

surfaces = [
    mounted(PLATFORM, health.platform, settings.SURFACE_APPS),
    mounted(TEAM, [], settings.SURFACE_APPS),
    mounted(STOREFRONT, health.storefront, settings.SURFACE_APPS),
]
urlpatterns = [
    *surfaces,
    *documents.urlpatterns,
    path("health", health.site),
    path("admin/", admin.site.urls),
]
