"""GET /v1/wallet, GET /api/v1/wallet: dollars. GET /api/v1/credits: credits."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.dialects import image, video
from shoal.dialects.errors import image_error, video_error
from shoal.domain.api_key import Scope
from shoal.domain.money import Asset
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ReadWalletSettings

CREDITS = "GET /api/v1/credits"


def read(request: Request) -> Answer:
    """200 with what the caller's account has, or with its play money under a test key."""
    settings = bootstrap.settings_of(ReadWalletSettings)
    in_credits = request.route == CREDITS
    request.render_error = video_error(settings.api_url) if in_credits else image_error
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    wallet = bootstrap.read_wallet()(caller, Asset.CREDIT if in_credits else Asset.USD)
    return Answer(200, video.credits_resource(wallet) if in_credits else image.wallet_resource(wallet))


handler = endpoint(read)
