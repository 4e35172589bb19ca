"""GET /v1/wallet, GET /api/v1/wallet: dollars. GET /api/v1/credits: credits."""

from __future__ import annotations

from shoal.composition import money
from shoal.dialects import image, video
from shoal.domain.money import Asset
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.jobs.read_job import ReadWallet

CREDITS = "GET /api/v1/credits"


def read(request: Request, read_wallet: ReadWallet) -> Answer:
    """200 with what the caller's account has, or with its play money under a test key."""
    if request.route == CREDITS:
        return Answer(200, video.credits_resource(read_wallet(request.caller, Asset.CREDIT)))
    return Answer(200, image.wallet_resource(read_wallet(request.caller, Asset.USD)))


handler = Endpoint(money.read_wallet, read)
