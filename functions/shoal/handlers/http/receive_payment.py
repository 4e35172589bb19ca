"""POST /stripe/webhook: Stripe tells what happened to a payment."""

from __future__ import annotations

from shoal.composition import payments as bootstrap_payments
from shoal.domain.errors import CallbackRefused, Unauthorized
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.observability import logger
from shoal.settings import ReceivePaymentSettings


def receive(request: Request) -> Answer:
    """200 for a genuine event, also a repeated one and one about nothing of ours; 401 for any other."""
    receive_payment = bootstrap_payments.receive_payment(
        bootstrap_payments.settings_of(ReceivePaymentSettings)
    )
    try:
        settled = receive_payment(request.headers, request.body)
    except CallbackRefused as refused:
        logger.warning("payment event refused", extra={"reason": str(refused)})
        raise Unauthorized("The event's signature does not hold.") from None
    if settled:
        payment = settled.payment
        logger.info(
            "payment settled",
            extra={
                "account_id": payment.account_id,
                "payment_id": payment.id,
                "version": settled.version,
                "worth": settled.worth,
            },
        )
    return Answer(200, {"received": True})


handler = endpoint(receive)
