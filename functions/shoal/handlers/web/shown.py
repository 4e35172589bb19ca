"""Jobs as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shoal.composition.dashboard import Dashboard
from shoal.domain.brief import Kind
from shoal.domain.events import UrlOf
from shoal.domain.job import Job, JobStatus, Output
from shoal.domain.money import format_amount
from shoal.domain.video import poster_key

ASKED_LENGTH_MAX = 120
Shows = Literal["image", "video", "audio", "file"]
PLAYED: Final[tuple[Shows, ...]] = ("image", "video", "audio")


@dataclass(frozen=True, slots=True)
class ShownOutput:
    """`shows` is what a page makes of it: whatever browsers do not show or play is there to be saved."""

    url: str
    shows: Shows
    extension: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class ShownJob:
    """`picture` is what stands for it in a list, None while there is nothing to see."""

    job: Job
    model: str
    cost: str
    picture: str | None
    outputs: tuple[ShownOutput, ...]

    @property
    def open(self) -> bool:
        return not self.job.status.terminal

    @property
    def cancel_cost(self) -> str:
        """What a cancel would cost by now."""
        if self.job.free_trial and self.job.billed:
            return "The free trial"
        return format_amount(self.job.asset, self.job.price_of(len(self.job.billed)))

    @property
    def routes(self) -> list[str]:
        """The routes its outputs' providers were last asked by, each once."""
        return sorted({call.route.rstrip("/") for call in self.job.calls.values() if call.number})

    @property
    def took_ms(self) -> int | None:
        return None if self.job.closed_at_ms is None else self.job.closed_at_ms - self.job.created_at_ms


def card(site: Dashboard[object], job: Job, *, with_outputs: bool = False) -> ShownJob:
    """Each page signs the addresses of videos again; a list needs no more than a picture of each."""
    there = (job.status is JobStatus.COMPLETED or bool(job.outputs)) and not job.outputs_expired(
        site.clock.now_ms()
    )
    outputs = tuple(_shown(output, site.url_of) for output in job.outputs if there and with_outputs)
    picture = _picture(job, site.url_of) if there else None
    return ShownJob(job, model_title(site, job), _cost(job), picture, outputs)


def cards(site: Dashboard[object], jobs: Sequence[Job]) -> list[ShownJob]:
    return [card(site, job) for job in jobs]


def model_title(site: Dashboard[object], job: Job) -> str:
    if job.kind is Kind.VIDEO:
        return "Video"
    model = site.catalog().models.get(job.model)
    title = model.title if model else job.model
    return f"{title} {job.submission.mode}" if job.submission.mode else title


def _shown(output: Output, url_of: UrlOf) -> ShownOutput:
    family = output.content_type.partition("/")[0]
    shows: Shows = next((each for each in PLAYED if each == family), "file")
    extension = output.key.rpartition(".")[2]
    return ShownOutput(url_of(output.key), shows, extension.upper(), output.width_px, output.height_px)


def _cost(job: Job) -> str:
    if job.status is JobStatus.COMPLETED or job.captured:
        return "Free trial" if job.free_trial else format_amount(job.asset, job.cost)
    return format_amount(job.asset, job.hold.amount) if not job.status.terminal else "–"


def _picture(job: Job, url_of: UrlOf) -> str | None:
    if job.kind is Kind.VIDEO:
        return url_of(poster_key(job.id))
    pictures = [output.key for output in job.outputs if output.content_type.startswith("image/")]
    return url_of(pictures[0]) if pictures else None
