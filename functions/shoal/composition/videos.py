"""Builders of the video functions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shoal import settings as environment
from shoal.composition import parts
from shoal.composition import providers as upstreams
from shoal.composition.parts import clock, settings_of

if TYPE_CHECKING:
    from shoal.adapters.aws.s3_videos import S3VideoFiles
    from shoal.ports.videos import Studio
    from shoal.use_cases.videos.narrate import Narrate
    from shoal.use_cases.videos.render_scene import RenderScene
    from shoal.use_cases.videos.stitch_video import StitchVideo
    from shoal.use_cases.videos.store_clip import StoreClip
    from shoal.use_cases.videos.write_script import WriteScript


@cache
def write_script() -> WriteScript:
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.use_cases.videos.write_script import WriteScript

    settings = settings_of(environment.WriteScriptSettings)
    catalogs = parts.catalogs(settings)
    return WriteScript(
        jobs=parts.jobs(settings.table),
        scenes=parts.scenes(settings.table),
        bus=EventBridgeBus(parts.client("events"), settings.event_bus),
        writers=upstreams.script_writers(settings),
        try_routes=upstreams.try_routes(settings),
        routes=lambda job: catalogs.of(job.catalog_version).video.script_routes,
        clock=clock,
    )


@cache
def narrate() -> Narrate:
    from shoal.use_cases.videos.narrate import Narrate

    settings = settings_of(environment.NarrateSettings)
    catalogs = parts.catalogs(settings)
    return Narrate(
        jobs=parts.jobs(settings.table),
        scenes=parts.scenes(settings.table),
        files=_files(settings),
        speakers=upstreams.speakers(settings),
        try_routes=upstreams.try_routes(settings),
        routes=lambda job: catalogs.of(job.catalog_version).video.speech_routes,
        studio=_studio(),
        clock=clock,
    )


@cache
def render_scene(*, draws: bool = False) -> RenderScene:
    """`draws`: for simulated work, and none other."""
    from shoal.use_cases.videos.render_scene import RenderScene

    settings = settings_of(environment.RenderSceneSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return RenderScene(upstreams.resolve(settings, secret, draws=draws))


@cache
def store_clip() -> StoreClip:
    from shoal.use_cases.videos.store_clip import StoreClip

    settings = settings_of(environment.StoreClipSettings)
    return StoreClip(
        jobs=parts.jobs(settings.table),
        scenes=parts.scenes(settings.table),
        files=_files(settings),
        studio=_studio(),
        clock=clock,
        url_of=parts.output_urls(settings),
        videos_bucket=settings.videos_bucket,
    )


@cache
def stitch_video() -> StitchVideo:
    from shoal.use_cases.videos.stitch_video import StitchVideo

    settings = settings_of(environment.StitchVideoSettings)
    return StitchVideo(parts.jobs(settings.table), _files(settings), _studio(), clock)


def _files(settings: environment.VideoFilesSettings) -> S3VideoFiles:
    return parts.video_files(settings.staging_bucket, settings.videos_bucket)


def _studio() -> Studio:
    from shoal.adapters.outputs.studio import PyAvStudio

    return PyAvStudio()
