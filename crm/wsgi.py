"""WSGI entry point, for any WSGI server; our own web server is `python -m crm.server`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from crm.core import database_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

try:
    application = get_wsgi_application()
    database_role.refuse_start()
except ImproperlyConfigured as refusal:
    sys.exit(f"CRM does not start. {refusal}")
