"""The Storefront surface: `/shop/<organization-slug>/api/v1`, snake_case, `{"data": …}`, error codes in lower case."""

from typing import Any

from crm.api.surfaces import Json, Page, PageParameters, Problem, Surface, snake


def _page(page: Page, _plural: str) -> Json:
    meta = {
        "page": page.number,
        "page_size": page.size,
        "total_items": page.total,
        "total_pages": page.pages,
        "has_next": page.number < page.pages,
        "has_prev": page.number > 1 and page.total > 0,
    }
    return {"data": page.rows, "meta": meta}


def _error(fault: Problem) -> Json:
    body = {"code": fault.code.lower(), "message": fault.message, "details": fault.details, **fault.extra}
    return {"error": body}


def _wrap(data: Any) -> Json:
    return {"data": data}


STOREFRONT = Surface(
    name="storefront",
    title="Storefront API",
    base="shop/<str:shop>/api/v1",
    pages=PageParameters(size=("page_size",), default=20),
    key=snake,
    wrap=_wrap,
    wrap_page=_page,
    wrap_error=_error,
    deleted=lambda noun, pk: (204, None),
    statuses={},
    search=("keyword", "search"),
    admits_shoppers=True,
)
