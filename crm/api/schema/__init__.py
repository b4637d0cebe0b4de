"""OpenAPI: what a view declares, in the envelope that the surface's own functions make.

A resource describes itself by its serializer and filters; any other action says what it takes and responds with by
`extend_schema`.
"""

from crm.api.schema.descriptions import DESCRIPTION, ERRORS, JSON_MEDIA, error_schema, extend_schema
from crm.api.schema.operations import STANDARD, SurfaceSchema

__all__ = ["DESCRIPTION", "ERRORS", "JSON_MEDIA", "STANDARD", "SurfaceSchema", "error_schema", "extend_schema"]
