"""Cancel as a state machine: at whatever moment it comes, what is billed or seen is paid, and no more."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shoal.dialects import tasks, video
from shoal.domain.brief import Kind
from shoal.domain.errors import JobAlreadyTerminal
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.provider import Answer, Done, ProviderRequest
from shoal.ports.routing import Provider
from tests.support.factories import url_of
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World

RUN = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
WORDS = ["", "[poll]", "[callback]", "[slow:7]", "[slow:30]", "[timeout]", "[busy:3]", "[slow:9:scene=1]"]
PROMPTS = st.builds(
    "".join, st.tuples(st.sampled_from(["", "[billed]"]), st.sampled_from(WORDS), st.just("A shark"))
)


@dataclass
class Till:
    """A provider that notes of which outputs it was asked, and which it made: by job and index."""

    provider: Provider
    idempotent: bool = True
    made: set[tuple[str, int]] = field(default_factory=set)
    pending: set[tuple[str, int]] = field(default_factory=set)

    def start(self, request: ProviderRequest) -> Answer:
        return self._note(request, self.provider.start(request))

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        return self._note(request, self.provider.check(ref, request))

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        return self.provider.parse_callback(headers, body, now_ms)

    def bills_called_off(self, request: ProviderRequest) -> bool:
        return self.provider.bills_called_off(request)

    def cancel(self, ref: str) -> None:
        self.provider.cancel(ref)

    def _note(self, request: ProviderRequest, answer: Answer) -> Answer:
        output = request.idempotency_key.partition("-")[0], request.index
        (self.made if isinstance(answer, Done) else self.pending).add(output)
        return answer

    def bill(self, job: Job) -> set[int]:
        """The outputs that have to be paid for if the job is canceled now, as the documents have it."""
        billed = self.made | self.pending if "[billed]" in job.asked else self.made
        return {index for job_id, index in billed if job_id == job.id}


class CancelMachine(RuleBasedStateMachine):
    jobs: Bundle[Job] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.customer: Customer = self.world.customer(usd="100.00", credits=1000)
        self.stage = Stage(self.world)
        self.till = Till(self.world.providers.get("simulator"))
        self.world.use_provider(self.till)
        self.bills: dict[str, set[int]] = {}

    @rule(target=jobs, prompt=PROMPTS)
    def submit_image(self, prompt: str) -> Job:
        return self.world.queued(self.customer, prompt=prompt)

    @rule(target=jobs, prompt=PROMPTS, outputs=st.integers(1, 4))
    def submit_task(self, prompt: str, outputs: int) -> Job:
        return self.world.queued(self.customer, model="nanobanana", prompt=prompt, num_outputs=outputs)

    @rule(target=jobs, prompt=PROMPTS, scenes=st.integers(1, 6))
    def submit_video(self, prompt: str, scenes: int) -> Job:
        return self.world.video(self.customer, idea=prompt, duration=8 * scenes)

    @rule(seconds=st.sampled_from([0, 1, 3, 8, 20, 40, 200]))
    def wait(self, seconds: int) -> None:
        self.stage.run(until_ms=self.world.clock.ms + seconds * 1000)

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        open_still = not self.world.now(job).status.terminal
        try:
            canceled = self.world.cancel_job(self.customer.caller, job.id)
        except JobAlreadyTerminal:
            assert not open_still
            return
        assert open_still
        self.bills[job.id] = self.till.bill(job)
        assert canceled.captured == self.bills[job.id]
        assert canceled.cost == job.submission.unit_price * len(self.bills[job.id])

    @invariant()
    def the_ledger_agrees(self) -> None:
        assert self.world.audit_ledger() == []

    @invariant()
    def nothing_is_seen_before_it_is_paid_for(self) -> None:
        for job in self.world.tables.jobs.values():
            assert len(addresses(self.world, job)) <= job.cost // job.submission.unit_price

    def teardown(self) -> None:
        """In the end all that was captured is there, and what cannot be had was given back."""
        self.stage.run()
        self.the_ledger_agrees()
        for job in self.world.tables.jobs.values():
            assert job.deadline_at_ms is None
            if job.id in self.bills:
                self.check(job)
        spent = sum(job.cost for job in self.world.tables.jobs.values() if job.asset is Asset.USD)
        assert self.world.wallet(self.customer).balance == 100_000_000 - spent
        assert self.world.wallet(self.customer).held == 0

    def check(self, job: Job) -> None:
        made = {index for job_id, index in self.till.made if job_id == job.id}
        arrived = self.bills[job.id] & made
        assert job.captured == arrived, (job, self.bills[job.id], made)
        assert job.cost == job.submission.unit_price * len(arrived)
        assert len(addresses(self.world, job)) == len(arrived)
        assert (job.status is JobStatus.COMPLETED) == (job.family.completes_late and bool(arrived))


def addresses(world: World, job: Job) -> set[str]:
    """What of a job its caller can fetch; of a ready video the clips, for its file is made of those."""
    if job.kind is Kind.VIDEO:
        scenes = world.scenes.of(job)
        shown = video.video_resource(job, scenes, url_of=url_of, now_ms=world.clock.ms)["video"]
        return {scene["clip_url"] for scene in shown["scenes"] if scene["clip_url"]}
    output = tasks.task_resource(job, url_of=url_of, now_ms=world.clock.ms)["output"]
    return set(output["urls"]) if output else set()


def test_a_cancel_captures_what_is_billed_at_whatever_moment_it_comes() -> None:
    logging.disable(logging.CRITICAL)
    try:
        run_state_machine_as_test(CancelMachine, settings=RUN)
    finally:
        logging.disable(logging.NOTSET)


def test_a_task_gets_no_answer_of_a_call_that_another_one_waits_for() -> None:
    """An answered token is told from every other, whatever tokens ended before it was issued."""
    world = World()
    first, second = world.tokens.issue(), world.tokens.issue()
    world.tokens.expire(first)
    third = world.tokens.issue()

    assert world.tokens.succeed(second, {"output": {"key": "of the second"}})
    assert third not in world.tokens.answers
    assert world.tokens.succeed(third, {"output": {"key": "of the third"}})


def test_a_billed_task_that_never_arrives_is_given_back_beside_calls_that_end() -> None:
    """Shrunk from a run of the machine: others time out, and begin, around the one that is canceled."""
    machine = CancelMachine()
    machine.submit_video("[poll]A shark", 5)
    machine.submit_image("[timeout]A shark")
    machine.wait(200)
    machine.submit_video("[callback]A shark", 4)
    machine.submit_video("A shark", 1)
    task = machine.submit_task("[billed][timeout]A shark", 1)
    machine.wait(0)
    machine.submit_video("A shark", 1)
    machine.cancel(task)

    assert list(machine.bills.values()) == [{0}]
    machine.teardown()
    assert machine.world.wallet(machine.customer).balance == 100_000_000
