"""The parser of bodies."""

from typing import Any

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from crm.core.strict_json import read_object

_ENCODINGS = frozenset({"", "utf-8", "utf8", "us-ascii"})


class StrictJson(BaseParser):
    """Parse a body by `read_object`."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Return the object, or raise `Malformed` or `Invalid`."""
        request = parser_context["request"]._request  # noqa: SLF001 - its body knows the size limit
        charset = str(request.content_params.get("charset", "")).strip("\"'").lower()
        if charset not in _ENCODINGS or request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("another encoding than UTF-8")
        return read_object(request.body)
