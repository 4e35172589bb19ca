"""A job's request in its item: one flat document that this version and 0.1 read alike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shoal.adapters.dynamodb.items import job_item, job_of
from shoal.adapters.dynamodb.requests import brief_of, request_text
from shoal.adapters.dynamodb.values import unmarshal
from shoal.dialects import image, tasks, video
from shoal.domain.brief import Brief, Kind, VideoBrief
from shoal.domain.catalog import load_catalog
from shoal.domain.submission import Submission
from tests.fixtures.files import load, versions
from tests.support.factories import a_job, a_submission

CATALOG = load_catalog()
PICTURE = {"prompt": "A shark", "seed": 7, "metadata": {"order": 7, "half": 0.5}}
FILM = {"idea": "Why sharks glow", "category": "story", "duration": 16, "aspect_ratio": "9:16"}
SUBMISSIONS = {
    "image": image.parse_submission(PICTURE | {"mode": "4k", "ttl_seconds": 60}, CATALOG),
    "image.bare": image.parse_submission({"prompt": "A shark"}, CATALOG),
    "task": tasks.parse_submission(PICTURE | {"model": "nanobanana", "num_outputs": 2}, CATALOG),
    "task.clip": tasks.parse_submission({"prompt": "A shark", "model": "clip"}, CATALOG),
    "video": video.parse_submission(FILM | {"style": "paper cut-out", "subtitles": "burned"}, CATALOG),
    "video.bare": video.parse_submission(FILM, CATALOG),
}
RECORDED = [
    pytest.param(item, id=f"{version}:{name}")
    for version in versions()
    for name, item in load(version, "items").items()
    if name.startswith("job.")
]
LEFT_OUT: dict[str, Any] = {"type": "image_generate", "negative_prompt": None}
"""What 0.1 wrote, and understands the same where it is missing."""


def read_back(submission: Submission) -> Submission:
    return job_of(job_item(a_job(submission=submission))).submission


@pytest.mark.parametrize("submission", SUBMISSIONS.values(), ids=SUBMISSIONS)
def test_what_is_written_is_read_back(submission: Submission) -> None:
    assert read_back(submission.admitted(submission.asset)) == submission.admitted(submission.asset)


def test_every_field_of_a_brief_is_read_back() -> None:
    telling = VideoBrief("news", style="noir", voice="maya", language="pt-BR", subtitles="none")
    plain = Brief(Kind.PICTURE, "shoal-image", "A shark", "1:1", 64, 32, seed=7)
    picture = replace(plain, negative_prompt="blur", input_keys=("inputs/0", "inputs/1"))
    film = Brief(Kind.VIDEO, "clip", "Sharks", "9:16", 720, 1280, seed=None, video=telling)

    for brief in (picture, film):
        assert read_back(a_submission(brief=brief)).brief == brief


@pytest.mark.parametrize("item", RECORDED)
def test_a_recorded_request_is_written_as_it_was(item: dict[str, Any]) -> None:
    recorded = json.loads(unmarshal(item)["request"])
    expected = {name: value for name, value in recorded.items() if LEFT_OUT.get(name, ...) != value}

    written = json.loads(request_text(job_of(unmarshal(item)).submission))

    assert {name: value for name, value in written.items() if LEFT_OUT.get(name, ...) != value} == expected


def test_a_brief_of_before_a_field_has_its_default() -> None:
    request = {"prompt": "A shark", "aspect_ratio": "1:1", "width_px": 64, "height_px": 64, "seed": None}

    assert brief_of(request, "shoal-image") == Brief(
        Kind.PICTURE, "shoal-image", "A shark", "1:1", 64, 64, seed=None
    )


def test_only_a_video_has_a_script() -> None:
    with pytest.raises(ValueError, match="a picture has no script"):
        _ = a_job().brief.of_video
