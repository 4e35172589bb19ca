"""The routes of videos."""

from __future__ import annotations

from shoal.dialects.answers import video
from shoal.domain.errors import InsufficientCredits, JobAlreadyTerminal, MaxCostExceeded

from .operation import Operation

VIDEO = {"id": "$response.body#/video/id"}
VIDEOS = {
    "POST /api/v1/videos": Operation(
        id="create_video",
        tag="Videos",
        summary="Create a video",
        text="Costs one credit for each eight seconds, held at once. If any scene fails the whole video "
        "fails and every credit comes back.",
        body="VideoRequest",
        answers={202: (video.VideoAnswer,)},
        raises=(InsufficientCredits, MaxCostExceeded),
        idempotent=True,
        traced=True,
        links={"read_video": VIDEO, "cancel_video": VIDEO},
    ),
    "GET /api/v1/videos/{id}": Operation(
        id="read_video",
        tag="Videos",
        summary="Read a video",
        text="Poll every 10 to 20 seconds until `status` is `ready` or `failed`, or subscribe to `video.*`.",
        answers={200: (video.VideoAnswer,)},
    ),
    "GET /api/v1/videos": Operation(
        id="list_videos",
        tag="Videos",
        summary="List videos",
        text="Newest first.",
        query=("video_status", "limit", "cursor"),
        answers={200: (video.VideoListAnswer,)},
    ),
    "POST /api/v1/videos/{id}/cancel": Operation(
        id="cancel_video",
        tag="Videos",
        summary="Cancel a video",
        text=(
            "Stops the work and gives back what has cost nothing. Clips that a provider bills although it "
            "stops are charged and get addresses; `credits_refunded` tells what came back."
        ),
        answers={200: (video.VideoAnswer,)},
        raises=(JobAlreadyTerminal,),
        idempotent=True,
    ),
    "GET /api/v1/credits": Operation(
        id="read_credits",
        tag="Account",
        summary="Read the credits",
        answers={200: (video.CreditsAnswer,)},
    ),
}
