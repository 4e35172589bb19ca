"""Clean up: what a video that failed has stored so far goes, but for what a cancel captured."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.job import Job, JobStatus
from shoal.domain.video import paid_clips
from shoal.ports.videos import VideoFiles

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CleanUp:
    video_files: VideoFiles

    def __call__(self, job: Job) -> None:
        """Delete at once what a video that did not get ready has stored. Safe to repeat.

        It is not the last time: a step that still runs may write after it, so the job stays due and the
        sweeper deletes once more. That also makes up for a deletion that fails here.
        """
        if job.kind is not Kind.VIDEO or job.status is JobStatus.COMPLETED:
            return
        try:
            self.video_files.delete_of(job, keep=paid_clips(job))
        except Exception:
            # The money is back and the event must say so, whatever becomes of the files.
            logger.warning("files left to the sweeper", extra={"job_id": job.id}, exc_info=True)
