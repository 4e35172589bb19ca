"""`make demo-video`: one video through the public API of the local stack, as its document says."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import requests

from infra.local.cloud import LocalCloud
from infra.local.demo import Client, tell_errors
from infra.local.processes import ROOT, LocalCloudError, run
from infra.local.run import FOLDER, SHOAL, Local, console, demo_client, progress, step
from shoal_client.resources import Video

SCENES = 2
REQUEST: dict[str, Any] = {
    "idea": "Why the Persian Empire fell — Pixar-style animated explainer",
    "category": "story",
    "duration": 8 * SCENES,
    "aspect_ratio": "9:16",
}
CREDITS = 20
POLL_SECONDS = 1.0
VIDEO_SECONDS_MAX = 300.0


def play(client: Client, request: dict[str, Any]) -> Path:
    """Render one video and save it; returns where. Raises `LocalCloudError`."""
    started = time.monotonic()
    with progress() as shown, tell_errors():
        task = shown.add_task(f"POST /api/v1/videos {json.dumps(request, ensure_ascii=False)}")

        def show(video: Video) -> None:
            scenes = " ".join(scene["status"] for scene in video["scenes"])
            shown.update(task, description=f"{video['id']}: {video['progress']} % {scenes}")

        video = client.shoal.videos.wait(
            client.shoal.videos.create(**request),
            timeout_s=VIDEO_SECONDS_MAX,
            pause_s=POLL_SECONDS,
            on_poll=show,
        )
    console.print(f"[green]✓[/green] {video['id']}: ready [dim]{time.monotonic() - started:.1f} s[/dim]")
    with tell_errors():
        tell(client, video)
        return save(client, video)


def tell(client: Client, video: Video) -> None:
    """What each scene shows and says, and what it cost."""
    for scene in video["scenes"]:
        console.print(f"  {scene['index']}: {scene['narration']}", markup=False, soft_wrap=True)
    left = client.shoal.credits()["credits_remaining"]
    console.print(f"  {video['credits_charged']} credits charged, {left} left")


def save(client: Client, video: Video) -> Path:
    """Fetch the finished file from its signed address."""
    return client.save(video["final_video_url"], FOLDER / "videos" / f"{video['id']}.mp4")


def give_credits(local: Local, client: Client, wanted: int) -> None:
    """Let the demo's account have enough for one video."""
    with tell_errors():
        if client.shoal.credits()["credits_remaining"] >= wanted:
            return
    account_id = json.loads(local.config.read_text())["account_id"]
    with step(f"Giving the demo account {CREDITS} credits"):
        run(
            [str(SHOAL), "wallet", "credit", account_id, "--reason", "demo", "--credits", str(CREDITS)],
            env={**os.environ, "SHOAL_CONFIG": str(local.config)},
            log=FOLDER / "shoal.log",
        )


def main() -> None:
    """Exits with 1 and a clear message when a step fails."""
    local = Local(
        front_port=int(os.environ.get("SHOAL_PORT", "8787")),
        cloud_port=int(os.environ.get("SHOAL_CLOUD_PORT", "4566")),
    )
    try:
        cloud: LocalCloud = local.up()
        client = demo_client(local, cloud)
        give_credits(local, client, SCENES)
        path = play(client, REQUEST)
    except (LocalCloudError, requests.RequestException) as error:
        console.print("[red]✗[/red]", end=" ")
        console.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell reports SIGINT
    console.print(f"\n[bold]Video[/bold] {path.relative_to(ROOT)}", soft_wrap=True)


if __name__ == "__main__":
    main()
