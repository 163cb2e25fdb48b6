"""Whether a version of a model that passed its trial fails at work: a count, so that one bad moment is forgotten."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tillmesh.kernel.limits import MODEL_FAILURES_MAX

# What may be the fault of the moment. All else was found when the model was loaded, and is so each time.
PASSING: Final = frozenset({"crash", "error", "memory", "not_finite", "slow"})


class Failing(Struct, frozen=True, kw_only=True):
    """How a version does lately: each failure counts one up, each answer one down.

    So a model that fails less often than it answers is kept (people see to that by its drift), and one that crashes,
    says NaN or takes too long nearly always is given up after ``MODEL_FAILURES_MAX``, whatever comes in between.
    """

    version: int = 0
    count: int = 0
    reason: str = ""  # of the last failure

    def after(self, version: int, reason: str) -> Failing:
        """Give it after a version answered, or failed for a reason; another version begins anew."""
        count = self.count if version == self.version else 0
        if not reason:
            return Failing(version=version, count=max(0, count - 1), reason=self.reason)
        worth = 1 if reason in PASSING else MODEL_FAILURES_MAX
        return Failing(version=version, count=count + worth, reason=reason)

    @property
    def is_hopeless(self) -> bool:
        """Whether the version is to be given up."""
        return self.count >= MODEL_FAILURES_MAX
