"""What the page asks models, and how they are. A model that fails is a fallback in the answer, never an error."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from tillmesh.adapters.inference.runner import WRONG_INPUT
from tillmesh.adapters.web import multipart
from tillmesh.adapters.web.problems import NotAvailable
from tillmesh.edge.words import SURE, word_for
from tillmesh.kernel.errors import Invalid, NotFound, TooLarge
from tillmesh.kernel.limits import (
    EXAMPLES_PER_CALL_MAX,
    IMAGE_BYTES_MAX,
    INFERENCE_DEADLINE_MS_MAX,
    SEARCH_CHARS_MAX,
)
from tillmesh.terminal.ai import RECOGNITION, Ai, NoAnswer
from tillmesh.terminal.web.api import ANY, Call, Context
from tillmesh.till.commands import TeachProduct

RECOGNISE, LOOK = b"R", b"L"
ENROL_BYTES_MAX: Final = EXAMPLES_PER_CALL_MAX * IMAGE_BYTES_MAX // 2


def ai_of(context: Context) -> Ai:
    """Give this till's models; raises :class:`NotAvailable` on a till that was started without."""
    ai: Ai | None = context.services.extra.get("ai")
    if ai is None:
        raise NotAvailable("this till runs no models", hint="Scan the barcode or search by name.")
    return ai


async def status(context: Context) -> Any:
    """Say how every model of this till is."""
    ai: Ai | None = context.services.extra.get("ai")
    return {"enabled": False, "worker": {"running": False}, "models": []} if ai is None else ai.status()


async def load(context: Context) -> Any:
    """Load a model before it is asked, so that the first answer comes in time."""
    ai, name = ai_of(context), context.path("name")
    if name not in ai.shelf.names():
        raise NotFound(f"this till has no model {name[:40]!r}", hint="See /ai/status.")
    try:
        await ai.runner.load(name)
    except NoAnswer as none:
        return {"loaded": False, "reason": none.reason, "detail": none.detail}
    return {"loaded": True, "reason": "", "detail": ""}


async def recognise(context: Context, photo: bytes) -> Any:
    """Say which products a photo may show, the likeliest first; ``fallback`` when there is no answer in time."""
    ai = ai_of(context)
    try:
        reply = await ai.ask(RECOGNITION, RECOGNISE + photo)
    except NoAnswer as none:
        _refuse_wrong(none)
        return {
            "predictions": [], "requires_confirmation": True, "known": False, "unknown": 1.0, "cached": False,
            "fallback": True, "reason": none.reason, "inference_ms": 0.0, "model_version": 0,
        }  # fmt: skip
    found = reply.output
    ai.tally(RECOGNITION).cached += bool(found["cached"])
    skus = [sku for sku, _ in found["ranked"]]
    ai.tally(RECOGNITION).sure(max((sure for _, sure in found["ranked"]), default=0.0))
    products = await context.driver.look(lambda books: [books.product(sku) for sku in skus])
    predictions = [
        {"sku": sku, "name": product.name, "confidence": round(sure, 4), "word": word_for(sure), "box": found["box"]}
        for (sku, sure), product in zip(found["ranked"], products, strict=True)
        if product is not None
    ]
    best = predictions[0]["confidence"] if predictions else 0.0
    return {
        "predictions": predictions,
        "requires_confirmation": best < SURE,
        "known": bool(predictions) and best > found["unknown"],
        "unknown": round(found["unknown"], 4),
        "cached": found["cached"],
        "fallback": False,
        "reason": "",
        "inference_ms": round(reply.ms, 2),
        "model_version": reply.version,
    }  # fmt: skip


def _refuse_wrong(none: NoAnswer) -> None:
    if none.reason == WRONG_INPUT:
        raise Invalid(none.detail, hint="Send a photo as JPEG, PNG or WebP.") from none


async def enrol(context: Context, body: bytes) -> tuple[int, Any]:
    """Learn a product from photos of it, at once and on every till of the store."""
    fields = multipart.parts(context.request.headers.get("content-type", ""), body)
    texts = {field.name: field.data.decode("utf-8", "replace") for field in fields if not field.is_file}
    photos = [field.data for field in fields if field.is_file]
    sku = texts.get("sku", "")
    if not 1 <= len(photos) <= EXAMPLES_PER_CALL_MAX:
        raise TooLarge(f"{len(photos)} photos; 1 to {EXAMPLES_PER_CALL_MAX} at once", hint="Three to five are best.")
    ai, approval = ai_of(context), texts.get("approval", "")
    if not approval:  # else nothing is said before the photos were looked at: an approval serves once
        await context.driver.check(context.who(), TeachProduct(sku=sku, space="-", examples=(b"-",)))
    try:
        looked = await asyncio.gather(
            *(ai.ask(RECOGNITION, LOOK + photo, INFERENCE_DEADLINE_MS_MAX) for photo in photos)
        )
    except NoAnswer as none:
        _refuse_wrong(none)
        raise NotAvailable(f"nothing was learnt: {none.detail}", hint="Try again in a moment.") from none
    await context.do(
        TeachProduct(
            sku=sku,
            space=str(looked[0].output["space"]),
            examples=tuple(reply.output["example"] for reply in looked),
            replaces=texts.get("replaces", "") in {"1", "true"},
        ),
        approval,
    )
    return 201, {"sku": sku, "added": len(photos)}


class VerdictBody(msgspec.Struct):
    """What a person made of a suggestion: the product they took, and the one that was suggested first."""

    suggested: str
    chosen: str


async def verdict(context: Context, body: VerdictBody) -> None:
    """Count whether a suggestion was right: the sampled accuracy that monitoring watches."""
    tally = ai_of(context).tally(RECOGNITION)
    if len(body.suggested) > SEARCH_CHARS_MAX or not body.suggested:
        raise Invalid("no product was suggested", hint="Name the sku that came first.")
    if body.suggested == body.chosen:
        tally.confirmed += 1
    else:
        tally.corrected += 1


CALLS = [
    Call("GET", "/ai/status", status, "How the models of this till are"),
    Call("POST", "/ai/models/{name}/load", load, "Load a model before it is asked"),
    Call("POST", "/ai/recognise", recognise, "Recognise a product", bytes, media=ANY, bytes_max=IMAGE_BYTES_MAX),
    Call("POST", "/ai/recognise/verdict", verdict, "Judge a suggestion", VerdictBody, status=204),
    Call(
        "POST", "/ai/enrol", enrol, "Learn a product from photos", bytes, status=201, media=ANY, takes_room=True,
        bytes_max=ENROL_BYTES_MAX,
    ),
]  # fmt: skip
