"""GET /v1/wallet, GET /api/v1/wallet: balance, held, available, free generations left."""

from __future__ import annotations

from shoal import bootstrap
from shoal.dialects import image
from shoal.dialects.errors import image_error
from shoal.domain.api_key import Scope
from shoal.domain.money import Asset
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ReadWalletSettings


def read(request: Request) -> Answer:
    """200 with the dollars of the caller's account, or its play money under a test key."""
    settings = bootstrap.settings_of(ReadWalletSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    return Answer(200, image.wallet_resource(bootstrap.read_wallet()(caller, Asset.USD)))


handler = endpoint(read, image_error)
