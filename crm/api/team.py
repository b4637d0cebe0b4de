"""The Team surface: `/api`, camelCase, `{"success": true, "data": …}`."""

from typing import Any

from crm.api.surfaces import Json, Page, PageParameters, Problem, Surface, camel


def _page(page: Page, plural: str) -> Json:
    pagination = {"page": page.number, "pageSize": page.size, "total": page.total, "totalPages": page.pages}
    return {"success": True, "data": {plural: page.rows, "meta": {"pagination": pagination}}}


def _error(fault: Problem) -> Json:
    extra = {camel(name): value for name, value in fault.extra.items()}
    body = {"code": fault.code, "message": fault.message, "details": fault.details, **extra}
    return {"success": False, "error": body}


def _wrap(data: Any) -> Json:
    return {"success": True, "data": data}


TEAM = Surface(
    name="team",
    title="Team API",
    base="api",
    pages=PageParameters(size=("pageSize",), default=25),
    key=camel,
    wrap=_wrap,
    wrap_page=_page,
    wrap_error=_error,
    deleted=lambda noun, pk: (200, _wrap({"id": pk})),
    statuses={},
    search=("search",),
)
