"""Put the web side together: calls, pages, static files, the guard in front, live events behind."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from tillmesh.adapters.web import openapi
from tillmesh.adapters.web.guard import Guard
from tillmesh.adapters.web.pages import page_routes
from tillmesh.adapters.web.problems import answer
from tillmesh.kernel.errors import NotFound, TillmeshError
from tillmesh.terminal.ai_metrics import AiMetrics
from tillmesh.terminal.watch_metrics import WatchMetrics
from tillmesh.terminal.web import (
    accounting_calls,
    ai_calls,
    audit_calls,
    card_calls,
    cart_calls,
    conflict_calls,
    erasure_calls,
    file_calls,
    first_calls,
    fiscal_calls,
    judgement_calls,
    mail_calls,
    news,
    offer_calls,
    office_calls,
    picture_calls,
    product_calls,
    purchase_calls,
    purse_calls,
    record_calls,
    rights_calls,
    sale_calls,
    scale_calls,
    scan_calls,
    screen_calls,
    session_calls,
    shop_calls,
    store_calls,
    stretch_calls,
    system_calls,
    training_calls,
    transfer_calls,
    voice_calls,
)
from tillmesh.terminal.web.api import Call, Services, routes
from tillmesh.till.effects import Outcome

STATIC = Path(__file__).parent / "static"
WINDOWS = ("display", "pair")  # beside the till's own page
CALLS: list[Call] = [
    *session_calls.CALLS,
    *first_calls.CALLS,
    *cart_calls.CALLS,
    *sale_calls.CALLS,
    *card_calls.CALLS,
    *fiscal_calls.CALLS,
    *file_calls.CALLS,
    *record_calls.CALLS,
    *offer_calls.CALLS,
    *erasure_calls.CALLS,
    *purse_calls.CALLS,
    *rights_calls.CALLS,
    *product_calls.CALLS,
    *picture_calls.CALLS,
    *purchase_calls.CALLS,
    *transfer_calls.CALLS,
    *shop_calls.CALLS,
    *stretch_calls.CALLS,
    *accounting_calls.CALLS,
    *audit_calls.CALLS,
    *conflict_calls.CALLS,
    *store_calls.CALLS,
    *judgement_calls.CALLS,
    *ai_calls.CALLS,
    *scale_calls.CALLS,
    *scan_calls.CALLS,
    *voice_calls.CALLS,
    *office_calls.CALLS,
    *screen_calls.CALLS,
    *system_calls.CALLS,
    *training_calls.CALLS,
    *mail_calls.CALLS,
]


def build(services: Services, hosts: Collection[str]) -> Guard:
    """Build the ASGI application; ``hosts`` are the names this till answers to."""
    services.extra["openapi"] = openapi.describe(CALLS, "tillmesh terminal")
    services.extra["registry"] = _metrics(services)
    services.driver.listen(lambda outcome: news.tell(services, zip(outcome.events, outcome.bodies, strict=True)))
    app = Starlette(
        routes=[
            *routes(CALLS, services),
            office_calls.certificate_route(services),
            *page_routes(STATIC, WINDOWS),
        ],
        exception_handlers={HTTPException: _http_error},
    )
    services.extra["app"] = app  # for the door of other devices, which guards it with names of its own
    return Guard(app, hosts)


class WrongMethod(TillmeshError):
    """The path is there, the method is not."""

    status = 405
    kind = "method-not-allowed"
    title = "That can't be done with this address"


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:100]}"
    if error.status_code == WrongMethod.status:
        response = answer(WrongMethod(f"{what} is not a call", hint="See /api/v1/openapi.json."))
        response.headers["Allow"] = ", ".join(_allowed(request))
        return response
    return answer(NotFound(f"nothing at {what}", hint="See /api/v1/openapi.json."))


def _allowed(request: Request) -> list[str]:
    """List the methods that an address takes, over all its routes."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= getattr(route, "methods", None) or {"GET", "HEAD"}
    return sorted(found)


def _metrics(services: Services) -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    sales = Counter("tillmesh_sales", "Sales closed on this till since it started", registry=registry)
    events = Counter("tillmesh_events", "Events committed by this till since it started", ["type"], registry=registry)
    services.extra["command_seconds"] = Histogram(
        "tillmesh_command_seconds",
        "Time from asking for a command to its commit",
        registry=registry,
        buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
    )

    def count(outcome: Outcome) -> None:
        for event in outcome.events:
            events.labels(event.type).inc()
            if event.type == "sale_closed":
                sales.inc()

    oversold = Gauge(
        "tillmesh_oversold_products", "Products that are oversold and wait for an answer", registry=registry
    )
    oversold.set_function(lambda: services.oversold.count)
    services.driver.listen(count)
    WatchMetrics(registry, services.extra["watch"], services.driver, services.extra)
    if "ai" in services.extra:
        registry.register(AiMetrics(services.extra["ai"]))
    return registry
