"""POST /stripe/webhook: Stripe tells what happened to a payment."""

from __future__ import annotations

from shoal.composition import payments
from shoal.domain.errors import CallbackRefused, Unauthorized
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.observability import logger
from shoal.use_cases.payments.receive_payment import ReceivePayment


def receive(request: Request, receive_payment: ReceivePayment) -> Answer:
    """200 for a genuine event, also a repeated one and one about nothing of ours; 401 for any other."""
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


handler = Endpoint(payments.receive_payment, receive)
