"""The Platform surface: `/api/v1`, snake_case, bare objects, 422 for invalid input, rate limits."""

from typing import Any

from crm.api.surfaces import Json, Page, PageParameters, Problem, Surface, snake
from crm.core.errors import ErrorKind


def _page(page: Page, _plural: str) -> Json:
    return {
        "items": page.rows,
        "total": page.total,
        "page": page.number,
        "pages": page.pages,
        "has_next": page.number < page.pages,
        "has_prev": page.number > 1 and page.total > 0,
    }


def _error(fault: Problem) -> Json:
    return {"error": {"code": fault.code, "message": fault.message, "details": fault.details, **fault.extra}}


def _wrap(data: Any) -> Any:
    return data


PLATFORM = Surface(
    name="platform",
    title="Platform API",
    base="api/v1",
    pages=PageParameters(size=("limit", "per_page"), default=20),
    key=snake,
    wrap=_wrap,
    wrap_page=_page,
    wrap_error=_error,
    deleted=lambda noun, pk: (200, {"message": f"{noun} deleted successfully"}),
    statuses={ErrorKind.INVALID: 422},
    search=("q", "search"),
    is_limited=True,
)
