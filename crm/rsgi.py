"""RSGI entry point of the web server (`python -m crm.server`)."""

from crm.server.application import serving
from crm.wsgi import application as wsgi

application = serving(wsgi)
