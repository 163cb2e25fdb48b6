"""Alerts about what needs a person some day, caused on real tills: a wrong clock, a certificate that ends."""

import shutil
import time
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.checker import History
from tests.faults.running import Program, until
from tests.faults.small_store import build_store, running
from tests.faults.test_wrong_clock import Clock
from tillmesh.adapters.lan.roster import ROSTER_MEMBERS_MAX
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.till.upkeep import CLOCK_SKEW_S_MAX, DAY_S, LINK_CERTIFICATE_S_MIN

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]

NAMES_MAX = ROSTER_MEMBERS_MAX * 4 // 5
LATER = timedelta(days=25)  # of the thirty that a certificate lives
LEFT = 'tillmesh_certificate_left_seconds{which="till"}'
SKEW = "tillmesh_clock_skew_seconds"


def told(till: Program, series: str) -> float:
    """Read one series of what Prometheus is told; 0 if it is not told."""
    found = [line.split()[1] for line in till.metrics().splitlines() if line.startswith(series + " ")]
    return float(found[0]) if found else 0.0


def says(till: Program, check: str) -> list[str]:
    """Give what the page of a till says about something that is to be looked at."""
    return [one["text"] for one in till.get("/health").body["checks"] if one["check"] == check and not one["ok"]]


def is_right(tills: list[Program]) -> bool:
    return all(abs(told(till, SKEW)) < CLOCK_SKEW_S_MAX for till in tills)


def have_gone_on_without(till: Program, issuer: Program) -> None:
    """Let the store have gone on for weeks: its newest list reaches a till that no issuer has answered meanwhile."""
    store = provisioning.store_of(issuer.shop)
    membership = provisioning.membership_in(issuer.shop, store)
    as_of_s = int(time.time() + LATER.total_seconds())
    signed = provisioning.authority_in(issuer.shop, store).sign(membership.revised(as_of_s, {}))
    provisioning.leave_list(till.shop, signed)


def test_a_wrong_clock_and_a_certificate_that_ends_raise_alerts_until_one_is_set_and_the_other_renewed(
    tmp_path: Path,
) -> None:
    tills, replay = build_store(tmp_path, 2), Replay()
    issuer, other = tills
    (other.shop / "keys" / provisioning.ISSUER).unlink()  # as in a larger store, where most tills have to ask
    clocks = []
    for till in tills:
        folder = tmp_path / f"clock-{till.shop.name}"
        folder.mkdir()
        clocks.append(Clock(folder))
        till.environment = clocks[-1].environment()
        till.arguments += ("--no-ai",)
    asked = [Asked(till.shop.name, till.port) for till in tills]
    with running(tills):
        until(partial(is_right, tills), "no clock is wrong")
        until(lambda: all(told(till, "tillmesh_leaderless_seconds") == 0 for till in tills), "somebody leads")
        replay.take(*asked)
        clocks[1].set(timedelta(hours=1))
        until(lambda: told(other, SKEW) > 3_000, "its clock is an hour ahead")
        until(lambda: told(issuer, SKEW) < -3_000, "of two, the other one can't tell who is right")
        assert says(other, "clock") == [
            "The clock of this till is 60 minutes ahead. Look at the other tills, and set the wrong one."
        ]
        replay.take(*asked)
        clocks[1].set(timedelta())
        until(partial(is_right, tills), "it was set")
        assert not says(other, "clock")
        replay.take(*asked)
        issuer.kill()  # and what is sold from here on it never hears of
        assert other.sell(other.sign_in(), History(), "unheard", 1) is not None
    have_gone_on_without(other, issuer)
    for clock in clocks:
        clock.set(LATER)
    with other:
        until(lambda: 0 < told(other, LEFT) < LINK_CERTIFICATE_S_MIN, "its certificate ends within the week")
        assert "ends in 4 days. Switch on a till that issues certificates" in says(other, "certificate")[0]
        assert " has been silent for 25 days. Switch it on" in says(other, "silent")[0]
        replay.take(*asked)
        with issuer:
            until(lambda: told(other, LEFT) > 29 * DAY_S, "it got the next one by itself")
            until(lambda: told(issuer, LEFT) > 29 * DAY_S, "so did the issuer")
            until(lambda: all(told(till, "tillmesh_leaderless_seconds") == 0 for till in tills), "somebody leads")
            assert not says(other, "certificate")
            until(lambda: not says(other, "silent"), "it heard of the sale")
            replay.take(*asked)
    replay.judge(tmp_path / "alerts", [(), {"ClockWrong"}, (), {"CertificateEnds", "TillSilent"}, ()])


def names(till: Program) -> float:
    return sum(told(till, f'tillmesh_actors{{state="{state}"}}') for state in ("member", "gone"))


def test_a_list_of_tills_that_is_nearly_full_raises_an_alert_until_the_store_is_made_anew(tmp_path: Path) -> None:
    [till], replay = build_store(tmp_path, 1), Replay()
    asked = Asked(till.shop.name, till.port)
    with closing(open_terminal(till.shop)) as opened:
        origin = opened.origin
    provisioning.found(till.shop, origin.store, origin.actor, int(time.time()))
    anew = tmp_path / "anew"
    shutil.copytree(till.shop / provisioning.FOLDER, anew)
    till.arguments += ("--no-ai",)
    with till:
        until(lambda: names(till) == 1 and told(till, "tillmesh_leaderless_seconds") == 0, "it leads itself")
        replay.take(asked)
        membership = provisioning.membership_in(till.shop, origin.store)
        [me] = membership.members.values()
        gone = {f"gone{n:04}.boot1": msgspec.structs.replace(me, state="revoked") for n in range(NAMES_MAX)}
        signed = provisioning.authority_in(till.shop, origin.store).sign(membership.revised(int(time.time()), gone))
        provisioning.leave_list(till.shop, signed)
        until(lambda: names(till) > NAMES_MAX, "the list names many that are gone")
        replay.take(asked)
    shutil.rmtree(till.shop / provisioning.FOLDER)
    shutil.copytree(anew, till.shop / provisioning.FOLDER)
    with till:
        until(lambda: names(till) == 1 and told(till, "tillmesh_leaderless_seconds") == 0, "its list is a short one")
        replay.take(asked)
    replay.judge(tmp_path / "alerts", [(), {"NamesRunOut"}, ()])
