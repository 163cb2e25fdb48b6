"""Replication between terminals, and towards the hub, as values: messages and time in, effects out.

A session never decides what is true, only what the other side lacks. ``(actor, seq)`` delivers; nothing here looks at
a timestamp.
"""

from tillmesh.sync.frames import FrameDamaged, read_frame, write_frame
from tillmesh.sync.intake import Intake
from tillmesh.sync.messages import (
    Ack,
    Forked,
    Hello,
    Item,
    Later,
    Mark,
    Message,
    Presence,
    Push,
    Refuse,
    Run,
    Slow,
    Want,
    runs_of,
)
from tillmesh.sync.session import Session, Side
from tillmesh.sync.signatures import KeyNotary, Notary, SignedHead, Verdict, head_message
from tillmesh.sync.steps import Acked, Apply, Closed, Fence, Load, Send, Step, WakeAt

__all__ = [
    "Ack",
    "Acked",
    "Apply",
    "Closed",
    "Fence",
    "Forked",
    "FrameDamaged",
    "Hello",
    "Intake",
    "Item",
    "KeyNotary",
    "Later",
    "Load",
    "Mark",
    "Message",
    "Notary",
    "Presence",
    "Push",
    "Refuse",
    "Run",
    "Send",
    "Session",
    "Side",
    "SignedHead",
    "Slow",
    "Step",
    "Verdict",
    "WakeAt",
    "Want",
    "head_message",
    "read_frame",
    "runs_of",
    "write_frame",
]
