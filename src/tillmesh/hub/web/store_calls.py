"""What stores call, behind their certificate and the API key that is bound to it.

Behind a gateway it is the gateway that has seen the store's certificate: it is believed in a header, from a connection
that proves to be the gateway's own and from no other. Everything else is checked here, whatever was checked before.
"""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import unquote

from starlette.responses import Response

from tillmesh.adapters.wan.certificates import GATEWAY, CertificateRefused, der_of
from tillmesh.adapters.web.bodies import JSON
from tillmesh.adapters.web.serving import PEER
from tillmesh.fleet.office import Office
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.carrying import carried
from tillmesh.kernel.errors import Invalid, NotAllowed, NotFound, TillmeshError, TooMany
from tillmesh.kernel.limits import MODEL_REPORTS_BYTES_MAX, UPLOAD_BYTES_MAX
from tillmesh.sync.model_orders import read_reports
from tillmesh.sync.upload import MEDIA, read_batch, write_answer

KEY_HEADER: Final = "x-api-key"
GATEWAY_RETRY_MS: Final = 2_000
SEEN_HEADER: Final = "x-forwarded-client-cert"  # as Envoy writes it: Hash=...;Cert="..."
SEEN_CHARS_MAX: Final = 8_192
_SEEN: Final = re.compile(r'(?:[A-Za-z]+=[^;,"]*;)*Cert="([^"]+)"')
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
log = logging.getLogger(__name__)


class Admitted(NamedTuple):
    """A store that was let in: its certificate's serial number, and the generation that its credentials are in."""

    store: str
    serial: bytes
    generation: int


class KeyRefused(TillmeshError):
    """No such API key, or it was revoked."""

    status = 401
    kind = "key-refused"
    title = "Head office does not know this key"


class GatewayRefused(TooMany):
    """The gateway's own certificate was revoked: no store's fault. Its connection is closed, a new one may be right."""

    status = 503
    kind = "gateway-refused"
    title = "Head office does not know its gateway"
    hang_up = True


async def sync(context: Context, raw: bytes) -> Response:
    """Take in a batch of a store's events, and answer with what is durable and what is new for the store."""
    metrics = context.services.metrics
    try:
        with metrics.seconds.time():
            answer, events = await _take(context, raw)
    except TillmeshError as refused:
        metrics.batches.labels(str(refused.status)).inc()
        raise
    metrics.batches.labels("200").inc()
    metrics.events.inc(events)
    return answer


async def _take(context: Context, raw: bytes) -> tuple[Response, int]:
    store, _, generation = await admitted_as(context)
    context.services.throttle.admit(store, context.services.clock())
    batch = read_batch(raw)
    if batch.store != store:
        raise NotAllowed(f"a batch of the store {batch.store}", hint="A store uploads what is its own.")
    answer = write_answer(await context.hub.take(batch, generation))
    return Response(answer, media_type=JSON), sum(len(run.items) for run in batch.runs)


async def state(context: Context) -> Response:
    """Say what is held of a store: whoever leads it now goes on from there."""
    store, _, generation = await asking(context)
    return Response(write_answer(await context.hub.state(store, generation)), media_type=JSON)


async def news(context: Context) -> dict[str, bool]:
    """Wait a while for something that head office has for the store; a leader asks again and again."""
    store = (await asking(context)).store
    have = context.query("have", "0")
    if not (have.isascii() and have.isdigit() and len(have) < 19):
        raise Invalid(f"have={have[:20]!r} is no number of events", hint="Say how many the store has.")
    orders = context.query("orders")
    if orders and not _DIGEST.fullmatch(orders):
        raise Invalid(f"orders={orders[:40]!r} is no digest", hint="Say it in 32 hexadecimal digits.")
    with context.services.metrics.listening.track_inprogress():
        return {"news": await context.hub.news(store, int(have), bytes.fromhex(orders) if orders else None)}


async def bundle(context: Context) -> Response:
    """Give the bundle of a model that the store is to run, whole or from where a transfer broke off."""
    store = (await asking(context)).store
    version = context.path("version")
    if not (version.isascii() and version.isdigit() and len(version) < 11):
        raise NotFound(f"{version[:20]!r} is no version of a model", hint="Look at the orders of head office.")
    models = context.hub.opened.models
    return await carried(
        models.blobs, models.bundle_for(store, context.path("name"), int(version)), context.request.headers
    )


async def reports(context: Context, raw: bytes) -> dict[str, int]:
    """Take in how models do on the tills of a store."""
    store = (await admitted_as(context)).store
    now = context.services.clock()
    context.services.throttle.admit(store, now)
    given = read_reports(raw).reports
    halted = await context.hub.with_models(lambda models: models.take(store, given, now))
    for name, why in halted.items():
        log.warning("the roll-out of %s is halted: %s", name, why)
        await context.hub.ask(partial(_halted, now, name, why))
    return {"accepted": len(given)}


def _halted(now_ms: int, name: str, why: str, office: Office) -> None:
    office.audit(now_ms, "system", "model_halted", name, why)


async def health(context: Context) -> dict[str, str]:
    """Say that this sync service takes batches; a gateway asks every second."""
    await context.hub.write(lambda: None)  # the writer's thread is there, too
    if context.hub.trouble is not None:
        raise context.hub.trouble
    return {"status": "ok"}


async def asking(context: Context) -> Admitted:
    """Let a store in that asks, unless it asks more often than any store needs to."""
    found = await admitted_as(context)
    context.services.asking.admit(found.store, context.services.clock())
    return found


async def admitted_as(context: Context) -> Admitted:
    """Give the store that calls, and as whom: certificate, key and path have to agree. Who is refused is logged."""
    try:
        return await _admitted(context)
    except TillmeshError as refused:
        log.warning("refused at the stores' door: %s: %s", refused.kind, refused.detail)
        raise


async def _admitted(context: Context) -> Admitted:
    hub, now_s = context.hub, context.services.clock() // 1000
    authority = hub.opened.authority
    certificate: bytes | None = context.request.scope.get(PEER)
    gateway = authority.gateway(certificate, now_s)
    if gateway is not None:
        certificate = _seen(context)
    named, serial = authority.store_of(certificate, now_s)
    key = context.request.headers.get(KEY_HEADER, "")[:200]

    def look(office: Office) -> tuple[int, bool, str | None, tuple[str, bytes] | None]:
        generation = office.generation(named)  # before what is revoked, so that whoever is let in had not been then
        believed = gateway is None or office.certificate_store(gateway) == GATEWAY
        return generation, believed, office.certificate_store(serial), office.key_owner(key)

    generation, believed, known, owner = await hub.ask(look)
    if not believed:
        raise GatewayRefused(
            "the certificate of the gateway was revoked",
            retry_after_ms=GATEWAY_RETRY_MS,
            hint="Run tillmesh hub gateway-config.",
        )
    if gateway is None and context.services.behind_gateway:
        raise CertificateRefused(f"{named} came past the gateway", hint="Stores call the gateway's address.")
    if known != named:
        raise CertificateRefused(f"the certificate of {named} was revoked", hint="Issue the store a new one.")
    if owner is None:
        raise KeyRefused("an API key that is unknown or revoked", hint="Issue the store a new one.")
    if owner != (named, serial):
        raise NotAllowed("this API key belongs to another certificate", hint="Use the key that came with it.")
    if context.path("store_id") != named:
        raise NotAllowed(f"{named} asks for another store's data", hint="A store has its own address.")
    return Admitted(named, serial, generation)


def _seen(context: Context) -> bytes | None:
    """Give the certificate that the gateway says it has seen; None unless it says exactly one."""
    said = context.request.headers.getlist(SEEN_HEADER)
    found = _SEEN.fullmatch(said[0]) if len(said) == 1 and len(said[0]) <= SEEN_CHARS_MAX else None
    return None if found is None else der_of(unquote(found[1]))


async def no_certificate(context: Context) -> None:
    """Refuse: this door is for people, stores have their own."""
    raise CertificateRefused(
        f"{context.path('store_id')[:64]} came without its certificate",
        hint="Stores upload over TLS, at the stores' port.",
    )


CALLS: Final = [
    Call("POST", "/stores/{store_id}/sync", sync, "Upload a store's events", body=bytes, role=None, media=MEDIA,
         bytes_max=UPLOAD_BYTES_MAX),
    Call("GET", "/stores/{store_id}/sync/state", state, "What is held of a store", role=None),
    Call("GET", "/stores/{store_id}/sync/news", news, "Wait for something new for a store", role=None),
    Call("GET", "/stores/{store_id}/models/{name}/{version}", bundle, "A model that the store is to run", role=None),
    Call("POST", "/stores/{store_id}/models/reports", reports, "How models do in a store", body=bytes, role=None,
         bytes_max=MODEL_REPORTS_BYTES_MAX),
    Call("GET", "/health", health, "Is this sync service there", role=None),
]  # fmt: skip
REFUSED_CALLS: Final = [
    Call("POST", "/stores/{store_id}/sync", no_certificate, "Upload a store's events", role=None),
    Call("GET", "/stores/{store_id}/sync/state", no_certificate, "What is held of a store", role=None),
]
