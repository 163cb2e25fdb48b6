"""What somebody said: a command with its slots, or that it was none. The page does it, as if a hand had."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tillmesh.edge.voice import COMMANDS, Heard
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import VOICE_BYTES_MAX
from tillmesh.terminal.ai import NoAnswer
from tillmesh.terminal.web.ai_calls import ai_of
from tillmesh.terminal.web.api import ANY, Call, Context

MODEL: Final = "voice"


async def voice(context: Context, sound: bytes) -> Any:
    """Understand a spoken command: mono WAV of at most ten seconds, best at 16,000 samples a second."""
    try:
        reply = await ai_of(context).ask(MODEL, sound)
    except NoAnswer as none:
        if none.reason == "input":
            raise Invalid(none.detail, hint="Send a WAV file.") from none
        heard = Heard(command="", slots={}, confidence=0.0, requires_confirmation=True, words=())
        return _view(heard, 0.0, none.reason)
    understood = msgspec.convert(reply.output, Heard)
    ai_of(context).tally(MODEL).sure(understood.confidence)
    return _view(understood, reply.ms, "")


def _view(heard: Heard, ms: float, reason: str) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(heard)
    return {
        **shown,
        "confidence": round(heard.confidence, 4),
        "inference_ms": round(ms, 2),
        "fallback": bool(reason),
        "reason": reason,
    }


async def commands(context: Context) -> Any:  # noqa: ARG001
    """List what may be said."""
    return {"commands": [{**msgspec.to_builtins(one), "slots": one.slots} for one in COMMANDS]}


CALLS = [
    Call("POST", "/ai/voice", voice, "Understand a spoken command", bytes, media=ANY, bytes_max=VOICE_BYTES_MAX),
    Call("GET", "/ai/voice/commands", commands, "What may be said"),
]
