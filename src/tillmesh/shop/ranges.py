"""What the numbers and names in events may be: held when an event is decoded, by every till and head office alike.

An event with a number outside of its range can't be read (:func:`tillmesh.shop.reading.read_event`): it stays in the
log, signed and chained, and no table hears of it. The ranges are far above what a shop writes and far below where sums
pass 64 bits; who writes an event is refused first (:meth:`tillmesh.till.node.Till.decide`). They are part of the
events' format: a wider one needs a new version of the type.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

from tillmesh.kernel.hlc import PHYSICAL_MS_MAX
from tillmesh.kernel.limits import (
    AGE_YEARS_MAX,
    EVENT_COUNT_MAX,
    EVENT_FIELD_MAX,
    EVENT_NUMBER_MAX,
    EVENT_TOTAL_MAX,
    RATE_PPM_MAX,
    SALE_LINES_MAX,
)

Minor: TypeAlias = Annotated[int, Meta(ge=-EVENT_NUMBER_MAX, le=EVENT_NUMBER_MAX)]  # an amount, or points
Milli: TypeAlias = Annotated[int, Meta(ge=-EVENT_NUMBER_MAX, le=EVENT_NUMBER_MAX)]  # a quantity in thousandths
Total: TypeAlias = Annotated[int, Meta(ge=-EVENT_TOTAL_MAX, le=EVENT_TOTAL_MAX)]  # a sum over many events
Count: TypeAlias = Annotated[int, Meta(ge=0, le=EVENT_COUNT_MAX)]  # how many, or the how manieth: events, receipts
Ppm: TypeAlias = Annotated[int, Meta(ge=0, le=RATE_PPM_MAX)]  # a rate in parts per million
Percent: TypeAlias = Annotated[int, Meta(ge=0, le=100)]
TimeMs: TypeAlias = Annotated[int, Meta(ge=0, le=PHYSICAL_MS_MAX)]  # milliseconds since 1970
LineIndex: TypeAlias = Annotated[int, Meta(ge=-1, le=SALE_LINES_MAX)]
Years: TypeAlias = Annotated[int, Meta(ge=0, le=AGE_YEARS_MAX)]
Field: TypeAlias = Annotated[int, Meta(ge=-EVENT_FIELD_MAX, le=EVENT_FIELD_MAX)]  # in a register: any of the above
Authority: TypeAlias = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]  # what it counts as is bounded: counted()
# The name of an event, as tillmesh.kernel.ids reads it; and where there may be none, or nothing.
EventName: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-z]{4,16}\.[0-9a-z]{4,16}-[1-9][0-9]{0,17}\Z")]
EventNameOrNone: TypeAlias = Annotated[str, Meta(pattern=r"\A([0-9a-z]{4,16}\.[0-9a-z]{4,16}-[1-9][0-9]{0,17})?\Z")]
