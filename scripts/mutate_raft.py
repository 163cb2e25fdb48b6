"""Break one rule of the Raft core at a time and see whether the tests notice.

    python scripts/mutate_raft.py [--only NAME ...] [--tests FOLDER ...] [--list]

Each mutant is a copy of the core with one replacement. The tests of the paper and the scenarios run against it, then
the simulation if they noticed nothing. Exit 1 when one survives: a test is missing, or the rule is not needed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("tests/paper tests/scenarios", "tests/unit/raft")
SECONDS_MAX = 300  # a mutant may loop for ever, which also is being noticed


@dataclass(frozen=True)
class Mutant:
    """One broken rule: in which module, what becomes what."""

    name: str
    module: str
    old: str
    new: str


MUTANTS = [
    Mutant("votes_twice_in_a_term", "elections", "free = raft.vote == m.from_ or (", "free = True or ("),
    Mutant(
        "votes_for_any_log",
        "elections",
        "if not (free and raft.log.is_up_to_date(m.index, m.log_term)):",
        "if not free:",
    ),
    Mutant(
        "compares_logs_by_length",
        "log",
        "return term > mine or (term == mine and index >= self.last_index())",
        "return index >= self.last_index()",
    ),
    Mutant("compares_logs_by_term_alone", "log", "(term == mine and index >= self.last_index())", "term == mine"),
    Mutant("does_not_sync_a_vote", "node", " or hard.vote != self._hard.vote", ""),
    Mutant("does_not_sync_entries", "node", "log.unstable or log.snapshot or hard.term", "log.snapshot or hard.term"),
    Mutant("keeps_its_vote_for_the_next_term", "state", "self.term, self.vote = term, None", "self.term = term"),
    Mutant("forgets_its_vote_on_restart", "state", "= hard.vote or None", "= None"),
    Mutant("elects_with_half_the_votes", "quorum", "return len(voters) // 2 + 1", "return max(1, len(voters) // 2)"),
    Mutant("commits_without_a_majority", "quorum", "ordered[(len(ordered) - 1) // 2]", "ordered[len(ordered) // 2]"),
    Mutant(
        "counts_entries_of_older_terms",
        "leading",
        "if index <= before or not raft.log.matches(index, raft.term):",
        "if index <= before:",
    ),
    Mutant(
        "takes_entries_that_do_not_fit", "log", "if not self.matches(prev, prev_term):", "if prev > self.last_index():"
    ),
    Mutant(
        "cuts_its_log_for_duplicates",
        "log",
        "if not self.matches(entry.index, entry.term):",
        "if entry.index > self.committed:",
    ),
    Mutant(
        "keeps_conflicting_entries",
        "log",
        "if not self.matches(entry.index, entry.term):",
        "if entry.index > self.last_index():",
    ),
    Mutant(
        "commits_beyond_what_was_confirmed",
        "following",
        "log.commit_to(min(m.commit, covered))",
        "log.commit_to(min(m.commit, log.last_index()))",
    ),
    Mutant(
        "heartbeats_commit_too_much",
        "leading",
        "commit = min(raft.tracker.progress[node].match, raft.log.committed)",
        "commit = raft.log.committed",
    ),
    Mutant(
        "counts_itself_before_its_disk",
        "leading",
        "    broadcast(raft)\n\n\ndef broadcast",
        "    raft.tracker.progress[raft.id].match = raft.log.last_index()\n    advance_commit(raft)\n"
        "    broadcast(raft)\n\n\ndef broadcast",
    ),
    Mutant(
        "opens_no_term", "leading", '    append(raft, [(b"", EntryType.NORMAL)])\n    raft.pending', "    raft.pending"
    ),
    Mutant(
        "changes_members_two_at_a_time", "membership", "if raft.log.applied < raft.pending_conf_index:", "if False:"
    ),
    Mutant(
        "changes_members_before_its_term_commits",
        "leading",
        "    raft.pending_conf_index = raft.log.last_index()\n",
        "",
    ),
    Mutant(
        "stands_with_an_old_configuration",
        "elections",
        " or raft.log.has_unapplied_conf_change():\n        return",
        ":\n        return",
    ),
    Mutant(
        "lets_learners_count",
        "progress",
        "return [self.progress[voter].match for voter in self.voters]",
        "return [progress.match for progress in self.progress.values()]",
    ),
    Mutant(
        "lets_learners_stand",
        "state",
        "return self.id in self.tracker.voters and",
        "return self.id in self.tracker.progress and",
    ),
    Mutant(
        "lets_strangers_vote",
        "quorum",
        "granted = sum(votes.get(voter) is True for voter in voters)",
        "granted = sum(votes.values())",
    ),
    Mutant("pre_vote_binds", "elections", "    if not pre:\n        raft.vote", "    if True:\n        raft.vote"),
    Mutant("pre_vote_raises_terms", "step", "if m.type is MessageType.PRE_VOTE or (", "if ("),
    Mutant("yields_to_no_rival", "elections", "raft.role is Role.PRE_CANDIDATE and not _goes", "False and not _goes"),
    Mutant("skips_the_pre_vote", "elections", "if raft.config.pre_vote and not force:", "if False:"),
    Mutant(
        "has_no_lease", "elections", "return raft.config.check_quorum and raft.leader", "return False and raft.leader"
    ),
    Mutant("holds_up_a_successor", "step", "VOTE_REQUESTS and not m.force and", "VOTE_REQUESTS and"),
    Mutant("never_steps_down", "leading", "if raft.config.check_quorum and not raft.had_quorum:", "if False:"),
    Mutant("hears_everybody_for_ever", "leading", "progress.active = node == raft.id", "progress.active = True"),
    Mutant(
        "hands_over_too_early",
        "leading",
        "    if progress.match == raft.log.last_index():\n        _hand_over(raft, to)",
        "    if True:\n        _hand_over(raft, to)",
    ),
    Mutant("proposes_while_handing_over", "node", "if raft.transferee is not None and not transferring:", "if False:"),
    Mutant("hands_over_for_ever", "leading", "        raft.transferee = None\n        _check", "        _check"),
    Mutant("goes_back_to_an_old_snapshot", "following", "if snapshot.index > log.committed:", "if True:"),
    Mutant(
        "forgets_the_members_of_a_snapshot",
        "following",
        "raft.tracker.adopt(snapshot.conf_state, next_index=log.last_index() + 1)",
        "pass",
    ),
    Mutant(
        "throws_entries_away_for_a_snapshot", "following", "if log.matches(snapshot.index, snapshot.term):", "if False:"
    ),
    Mutant(
        "applies_entries_before_their_snapshot",
        "log",
        "if self.snapshot or self.applied >= self.committed:",
        "if self.applied >= self.committed:",
    ),
    Mutant("never_repeats_a_snapshot", "leading", "progress.snapshot_ticks >= raft.config.election_tick", "False"),
    Mutant(
        "believes_late_refusals",
        "progress",
        "if index <= self.match:\n                return False",
        "if False:\n                return False",
    ),
    Mutant(
        "believes_the_disk_wrote_what_was_replaced",
        "log",
        "if self.offset <= index <= self.last_index() and self.term(index) == term:",
        "if self.offset <= index <= self.last_index():",
    ),
    Mutant(
        "does_not_listen_to_its_leader",
        "following",
        "raft.leader, raft.election_elapsed, raft.hurry_ticks = m.from_, 0, 0",
        "raft.leader, raft.hurry_ticks = m.from_, 0",
    ),
    Mutant(
        "stands_although_its_leader_is_back",
        "following",
        "raft.leader, raft.election_elapsed, raft.hurry_ticks = m.from_, 0, 0",
        "raft.leader, raft.election_elapsed = m.from_, 0",
    ),
    Mutant(
        "stands_whenever_any_link_breaks", "node", "if node == self._raft.leader and node != self._raft.id:", "if True:"
    ),
    Mutant("waits_out_a_leader_that_is_gone", "step", "is_hurried or raft.election_elapsed", "raft.election_elapsed"),
    Mutant(
        "lets_heartbeats_pass_an_unwritten_term",
        "node",
        "if not self._waiting or raft.term != self._durable_term:",
        "if not self._waiting:",
    ),
    Mutant(
        "listens_to_older_terms",
        "step",
        "if m.term < raft.term:",
        "if m.term < raft.term and m.type is not MessageType.APPEND:",
    ),
    Mutant(
        "takes_the_same_time_as_all",
        "config",
        "self.rng.randrange(self.election_tick, self.max_election_tick + 1)",
        "self.election_tick",
    ),
    Mutant("leads_after_its_removal", "membership", "if raft.id not in raft.tracker.voters:", "if False:"),
    Mutant("removes_the_last_voter", "membership", "set(raft.tracker.voters) == {change.node}", "False"),
    Mutant("sends_without_a_window", "progress", "return len(self.inflight) >= self.max_inflight", "return False"),
    Mutant(
        "takes_any_amount", "node", "if raft.uncommitted_bytes and raft.uncommitted", "if False and raft.uncommitted"
    ),
    Mutant(
        "never_frees_the_amount",
        "leading",
        "max(0, raft.uncommitted_bytes - sum(len(entry.data) for entry in done))",
        "raft.uncommitted_bytes",
    ),
    Mutant(
        "believes_any_index_to_be_committed",
        "elections",
        "not raft.log.matches(m.commit, m.commit_term)",
        "m.commit > raft.log.last_index()",
    ),
    Mutant(
        "tells_no_voter_what_is_committed",
        "elections",
        "    if not raft.log.commit_to(m.commit):\n        return\n",
        "    return\n",
    ),
    Mutant(
        "steps_back_one_entry_at_a_time",
        "log",
        "            if mine <= term:\n                return index, mine",
        "            if True:\n                return index, mine",
    ),
    Mutant(
        "takes_proposals_as_a_follower",
        "node",
        "        if raft.role is not Role.LEADER:\n            raise NotLeader",
        "        if False:\n            raise NotLeader",
    ),
    Mutant("commit_goes_back", "log", "        if index <= self.committed:\n            return False\n", ""),
    Mutant(
        "sends_nothing_before_the_heartbeat", "leading", "    broadcast(raft)\n\n\ndef broadcast", "\n\ndef broadcast"
    ),
]


def build(mutant: Mutant, folder: Path) -> None:
    """Copy what the tests import and break one rule in it."""
    source = ROOT / "src" / "tillmesh"
    for name in ("kernel", "raft"):
        shutil.copytree(source / name, folder / "tillmesh" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(source / "__init__.py", folder / "tillmesh")
    path = folder / "tillmesh" / "raft" / f"{mutant.module}.py"
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        sys.exit(
            f"{mutant.name}: {mutant.module}.py has {text.count(mutant.old)} times {mutant.old!r}; adapt the mutant"
        )
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def noticed(mutant: Mutant, tests: tuple[str, ...]) -> str:
    """Name the first test that fails on a mutant, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        build(mutant, Path(folder))
        for group in tests:
            command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", "--tb=no"]
            try:
                done = subprocess.run(
                    [*command, *group.split()],
                    cwd=ROOT,
                    env={**os.environ, "PYTHONPATH": folder},
                    capture_output=True,
                    text=True,
                    timeout=SECONDS_MAX,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"{group} ran for more than {SECONDS_MAX} s"
            if done.returncode == 1:
                return next((line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), group)
            if done.returncode != 0:
                sys.exit(f"{mutant.name}: the tests did not run\n{done.stdout}{done.stderr}")
    return ""


def main() -> int:
    """Try all mutants, or the named ones."""
    parser = argparse.ArgumentParser(description="Break one rule of the Raft core at a time.")
    parser.add_argument("--only", nargs="*", default=[], help="names of mutants")
    parser.add_argument("--tests", nargs="*", default=list(TESTS), help="groups of tests, tried in order")
    parser.add_argument("--list", action="store_true", help="only say which mutants there are")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not options.only or mutant.name in options.only]
    survivors = []
    for mutant in chosen:
        if options.list:
            print(mutant.name)
            continue
        start = time.monotonic()
        by = noticed(mutant, tuple(options.tests))
        print(f"{mutant.name:45} {'noticed' if by else 'SURVIVED'} {time.monotonic() - start:5.1f} s  {by}", flush=True)
        survivors += [] if by else [mutant.name]
    print(f"{len(chosen)} mutants, {len(survivors)} survived: {', '.join(survivors) or 'none'}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
