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
from infra.local.demo import CALL_SECONDS_MAX, Client
from infra.local.processes import ROOT, LocalCloudError, run
from infra.local.run import FOLDER, SHOAL, Local, console, demo_client, progress, step

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
    with progress() as shown:
        task = shown.add_task(f"POST /api/v1/videos {json.dumps(request, ensure_ascii=False)}")
        video = client.call("POST", "/api/v1/videos", request)["video"]
        while video["status"] not in ("ready", "failed"):
            if time.monotonic() - started > VIDEO_SECONDS_MAX:
                raise LocalCloudError(f"{video['id']} is still {video['status']}")
            time.sleep(POLL_SECONDS)
            video = client.call("GET", f"/api/v1/videos/{video['id']}")["video"]
            scenes = " ".join(scene["status"] for scene in video["scenes"])
            shown.update(task, description=f"{video['id']}: {video['progress']} % {scenes}")
    if video["status"] == "failed":
        raise LocalCloudError(f"{video['id']} failed: {video['error']['message']}")
    console.print(f"[green]✓[/green] {video['id']}: ready [dim]{time.monotonic() - started:.1f} s[/dim]")
    tell(client, video)
    return save(video["final_video_url"], FOLDER / "videos" / f"{video['id']}.mp4")


def tell(client: Client, video: dict[str, Any]) -> None:
    """What each scene shows and says, and what it cost."""
    for scene in video["scenes"]:
        console.print(f"  {scene['index']}: {scene['narration']}", markup=False, soft_wrap=True)
    left = client.call("GET", "/api/v1/credits")["credits_remaining"]
    console.print(f"  {video['credits_charged']} credits charged, {left} left")


def save(url: str, path: Path) -> Path:
    """Fetch a signed address. Raises `LocalCloudError`."""
    answer = requests.get(url, timeout=CALL_SECONDS_MAX)
    if not answer.ok:
        raise LocalCloudError(f"GET {url} answers {answer.status_code}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(answer.content)
    return path


def give_credits(local: Local, client: Client, wanted: int) -> None:
    """Let the demo's account have enough for one video."""
    if client.call("GET", "/api/v1/credits")["credits_remaining"] >= wanted:
        return
    account_id = json.loads(local.config.read_text())["account_id"]
    with step(f"Giving the demo account {CREDITS} credits"):
        run(
            [str(SHOAL), "wallet", "credit", account_id, "--credits", str(CREDITS)],
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
