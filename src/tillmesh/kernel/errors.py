"""Errors the world can cause. Each says what happened, which thing, the limit and the next step.

An ``AssertionError`` means that we broke our own promise: it is never caught. A ``TillmeshError`` means that the
world misbehaved: the edge turns it into a problem document (RFC 9457) from the attributes below.
"""

from __future__ import annotations


class TillmeshError(Exception):
    """The world misbehaved; ``detail`` names what and which, ``hint`` the next step for a person."""

    status: int = 400  # HTTP status code for the outside (RFC 9110).
    kind: str = "error"  # Stable slug: the last part of the problem's ``type``.
    title: str = "Something is not right"

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint

    def members(self) -> dict[str, object]:
        """Give what the problem document says beside its standard members."""
        return {}


class Invalid(TillmeshError):
    """A value from outside is malformed or out of range."""

    status = 422
    kind = "invalid"
    title = "That value can't be used"


class NotFound(TillmeshError):
    """The thing that was asked for is not known on this till."""

    status = 404
    kind = "not-found"
    title = "Not found"


class Conflict(TillmeshError):
    """The request is fine, but the state of the shop does not allow it now."""

    status = 409
    kind = "conflict"
    title = "Not possible right now"


class NotSignedIn(TillmeshError):
    """No valid session came with the request."""

    status = 401
    kind = "not-signed-in"
    title = "Please sign in"


class NotAllowed(TillmeshError):
    """The person's role does not cover the action, and nobody approved it."""

    status = 403
    kind = "not-allowed"
    title = "Needs approval"

    def __init__(self, detail: str, *, action: str = "", needs: str = "", hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.action = action
        self.needs = needs

    def members(self) -> dict[str, object]:
        """Name the action and the least role, so that a screen can ask for the approval."""
        return {"action": self.action, "needs": self.needs}


class TooMany(TillmeshError):
    """Tried too often; ``retry_after_ms`` says when to come back."""

    status = 429
    kind = "too-many"
    title = "Please wait"

    def __init__(self, detail: str, *, retry_after_ms: int, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.retry_after_ms = retry_after_ms

    def members(self) -> dict[str, object]:
        """Say when to come back."""
        return {"retry_after_ms": self.retry_after_ms}


class TooLarge(TillmeshError):
    """A body, batch or field is over its named limit."""

    status = 413
    kind = "too-large"
    title = "Too large"


class StorageFailed(TillmeshError):
    """The disk refused: full, read-only or broken. Nothing was recorded."""

    status = 503
    kind = "storage-failed"
    title = "Not saved"


class Damaged(TillmeshError):
    """Stored bytes do not verify: page authentication, hash chain or head disagree."""

    status = 503
    kind = "damaged"
    title = "Stored data is damaged"
