"""Who is signed in: tokens that end, approvals that serve once, and people whose rights change."""

import pytest

from tillmesh.kernel.errors import NotSignedIn
from tillmesh.shop.events import Approval
from tillmesh.terminal.web.sessions import APPROVAL_MS, APPROVALS_MAX, SESSION_MS, SESSIONS_MAX, Person, Sessions

NOW_MS = 1_795_356_000_000
CARA = Person("cara", "Cara", "cashier")
SAM = Person("sam", "Sam", "supervisor")


def test_a_token_names_its_person_for_a_working_day() -> None:
    sessions = Sessions()
    token = sessions.open(CARA, NOW_MS)
    assert sessions.person(token, NOW_MS + SESSION_MS) == CARA
    with pytest.raises(NotSignedIn):
        sessions.person(token, NOW_MS + SESSION_MS + 1)


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_a_token_nobody_was_given_names_nobody(token: str) -> None:
    with pytest.raises(NotSignedIn):
        Sessions().person(token, NOW_MS)


def test_who_signed_out_is_out() -> None:
    sessions = Sessions()
    token = sessions.open(CARA, NOW_MS)
    sessions.close(token)
    with pytest.raises(NotSignedIn):
        sessions.person(token, NOW_MS)


def test_an_approval_serves_once_and_not_for_long() -> None:
    sessions = Sessions()
    token, late = sessions.approve("void", SAM, NOW_MS), sessions.approve("void", SAM, NOW_MS)
    assert sessions.redeem(token, NOW_MS + APPROVAL_MS) == Approval(action="void", approved_by="sam")
    assert sessions.redeem(token, NOW_MS) is None
    assert sessions.redeem(late, NOW_MS + APPROVAL_MS + 1) is None
    assert sessions.redeem("nonsense", NOW_MS) is None


def test_who_lost_a_role_is_out_everywhere_and_approved_nothing() -> None:
    sessions = Sessions()
    tokens = [sessions.open(SAM, NOW_MS) for _ in range(3)]
    other, approval = sessions.open(CARA, NOW_MS), sessions.approve("void", SAM, NOW_MS)
    sessions.sign_out("sam")
    for token in tokens:
        with pytest.raises(NotSignedIn):
            sessions.person(token, NOW_MS)
    assert sessions.redeem(approval, NOW_MS) is None
    assert sessions.person(other, NOW_MS) == CARA


def test_who_changes_the_own_pin_stays_in_only_here() -> None:
    sessions = Sessions()
    here, elsewhere = sessions.open(SAM, NOW_MS), sessions.open(SAM, NOW_MS)
    sessions.sign_out("sam", but=here)
    assert sessions.person(here, NOW_MS) == SAM
    with pytest.raises(NotSignedIn):
        sessions.person(elsewhere, NOW_MS)


def test_sessions_and_approvals_are_bounded() -> None:
    sessions = Sessions()
    first, approval = sessions.open(CARA, NOW_MS), sessions.approve("void", SAM, NOW_MS)
    for _ in range(SESSIONS_MAX):
        sessions.open(CARA, NOW_MS)
    for _ in range(APPROVALS_MAX):
        sessions.approve("void", SAM, NOW_MS)
    with pytest.raises(NotSignedIn):
        sessions.person(first, NOW_MS)
    assert sessions.redeem(approval, NOW_MS) is None
