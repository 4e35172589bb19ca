"""Many videos at once, whatever happens to them in whatever order: no credit is lost or made."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shoal.domain.errors import InsufficientCredits, JobAlreadyTerminal, JobClosed, Unavailable
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from tests.fakes import FakeIds
from tests.integration.bench import OUTPUTS, Bench
from tests.integration.faults import faulty, timed_out
from tests.support.deployed import Deployed
from tests.support.factories import DECISION

CREDITS = 20
RUN = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
RARELY = st.sampled_from([False, False, False, True])


class CreditsMachine(RuleBasedStateMachine):
    """One account. What it should have is told by its videos: id, scenes and how each ended."""

    videos: Bundle[str] = Bundle("videos")

    def __init__(self, deployed: Deployed) -> None:
        super().__init__()
        self.bench = Bench(deployed.fresh_table(), FakeIds())
        self.caller = self.bench.account(0, credits=CREDITS)
        self.scenes: dict[str, int] = {}
        self.ends: dict[str, str] = {}
        self.granted = CREDITS

    @property
    def spent(self) -> int:
        return sum(self.scenes[video] for video, end in self.ends.items() if end == "ready")

    @property
    def held(self) -> int:
        return sum(scenes for video, scenes in self.scenes.items() if video not in self.ends)

    def over(self, reply_lost: bool) -> Bench:
        """The bench, or the bench with the next reply to a movement of money lost."""
        if not reply_lost:
            return self.bench
        return self.bench.over(faulty(self.bench.table, "transact_write_items", timed_out, after=True))

    @rule(target=videos, scenes=st.integers(1, 15))
    def submit(self, scenes: int) -> str:
        left = self.granted - self.spent - self.held
        if scenes > left:
            with pytest.raises(InsufficientCredits) as refused:
                self.bench.submit_video(self.caller, scenes)
            assert refused.value.details == {"credits_required": scenes, "credits_remaining": left}
            return ""
        video = self.bench.submit_video(self.caller, scenes).job_id
        self.scenes[video] = scenes
        return video

    @rule(video=videos, index=st.integers(0, 14))
    def begin_a_scene(self, video: str, index: int) -> None:
        self.try_to(video, lambda job: self.bench.begin(job, index % job.output_count))

    @rule(video=videos)
    def take_a_step(self, video: str) -> None:
        self.try_to(
            video, lambda job: self.bench.jobs.advance(job.account_id, job.id, self.bench.clock.now_ms())
        )

    @rule(video=videos, reply_lost=RARELY)
    def settle(self, video: str, reply_lost: bool) -> None:
        self.end(video, "ready", reply_lost, lambda bench, job: bench.settle_wallet(*whose(job), OUTPUTS[:1]))

    @rule(video=videos, reply_lost=RARELY)
    def fail(self, video: str, reply_lost: bool) -> None:
        self.end(video, "failed", reply_lost, lambda bench, job: bench.fail(job))

    @rule(video=videos)
    def cancel(self, video: str) -> None:
        if video and video not in self.ends:
            self.bench.cancel_job(self.caller, video)
            self.ends[video] = "canceled"
        elif video:
            with pytest.raises(JobAlreadyTerminal):
                self.bench.cancel_job(self.caller, video)

    @rule(seconds=st.sampled_from([1, 61, 500, 16 * 60]))
    def time_passes(self, seconds: int) -> None:
        self.bench.clock.pass_seconds(seconds)

    @rule()
    def sweep(self) -> None:
        self.bench.sweep_jobs()
        for video in self.scenes.keys() - self.ends.keys():
            if self.job(video).status.terminal:
                self.ends[video] = "swept"

    @rule(credits=st.integers(1, 9))
    def top_up(self, credits: int) -> None:
        self.bench.accounts.grant(self.caller.account_id, Asset.CREDIT, credits, DECISION)
        self.granted += credits

    @invariant()
    def no_credit_is_lost_or_made(self) -> None:
        wallet = self.bench.wallet(self.caller, Asset.CREDIT)
        assert (wallet.balance, wallet.held) == (self.granted - self.spent, self.held)
        assert wallet.available >= 0
        entries = self.bench.entries(self.caller, Asset.CREDIT)
        assert sum(entry["balance_delta"] for entry in entries) == wallet.balance
        assert sum(entry["held_delta"] for entry in entries) == wallet.held
        resolved = [entry["reference"] for entry in entries if entry["kind"] in ("capture", "release")]
        assert len(resolved) == len(set(resolved)) == len(self.ends)

    @invariant()
    def a_video_is_paid_whole_or_not_at_all(self) -> None:
        used = self.bench.rollups(self.caller, Asset.CREDIT)
        assert sum(rollup.cost for rollup in used) == sum(rollup.units for rollup in used) == self.spent
        for video, end in self.ends.items():
            assert self.job(video).cost == (self.scenes[video] if end == "ready" else 0)

    def teardown(self) -> None:
        """In the end nothing is held, and the audit has nothing to say."""
        for _ in range(4):
            self.bench.clock.pass_seconds(20 * 60)
            self.sweep()
        wallet = self.bench.wallet(self.caller, Asset.CREDIT)
        assert (wallet.balance, wallet.held) == (self.granted - self.spent, 0)
        assert self.bench.audit_ledger() == []
        assert not any("deadline_at" in item for item in self.bench.all_jobs(self.caller))

    def end(self, video: str, how: str, reply_lost: bool, act: Any) -> None:
        """The workflow's last step: it counts if nobody ended the video before."""
        if not video:
            return
        lost = reply_lost and video not in self.ends
        try:
            act(self.over(lost), self.job(video))
        except JobClosed:
            assert video in self.ends
        except Unavailable:
            assert lost
        self.ends.setdefault(video, how)

    def try_to(self, video: str, act: Any) -> None:
        if not video:
            return
        try:
            act(self.job(video))
        except JobClosed:
            assert video in self.ends
        else:
            assert video not in self.ends

    def job(self, video: str) -> Job:
        return self.bench.jobs.get(self.caller.account_id, video)


def whose(job: Job) -> tuple[str, str]:
    return job.account_id, job.id


@pytest.mark.timeout(600)  # a failure is shrunk for up to five minutes
def test_credits_are_exact_whatever_happens(deployed: Deployed) -> None:
    class Machine(CreditsMachine):
        def __init__(self) -> None:
            super().__init__(deployed)

    run_state_machine_as_test(Machine, settings=RUN)


def test_a_video_that_was_swept_is_told_as_failed(bench: Bench) -> None:
    caller = bench.account(0, credits=2)
    video = bench.submit_video(caller, 2).job_id
    job = bench.begin(bench.jobs.get(caller.account_id, video))
    bench.clock.pass_seconds(10 * 60)

    assert bench.sweep_jobs() == {"closed": 1}

    assert bench.job(job).status is JobStatus.EXPIRED, "nobody was asked for a clip"
    beginning = {"job.created", "video.created", "job.processing"}
    ended = {"video.failed", "job.failed", "wallet.released"}
    assert {event.type for event in bench.bus.published} == beginning | ended
