"""OpenAPI: what a view declares, in the envelope that the surface's own functions make.

A resource describes itself by its shape and filters; any other action says what it takes and answers with `describes`.
"""

from crm.api.schema.descriptions import DESCRIPTION, ERRORS, JSON_MEDIA, describes, error_schema
from crm.api.schema.operations import STANDARD, SurfaceSchema

__all__ = ["DESCRIPTION", "ERRORS", "JSON_MEDIA", "STANDARD", "SurfaceSchema", "describes", "error_schema"]
