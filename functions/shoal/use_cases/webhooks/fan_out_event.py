"""FanOutEvent: write a delivery for each subscription to an event, then order its first attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from shoal.domain.delivery import Delivery, delivery_of, delivery_of_request
from shoal.domain.errors import NotFound, Unavailable
from shoal.domain.events import Event
from shoal.domain.webhook import CLOSING_TYPES, AccountSecret, Secrets, Subscription, requested
from shoal.ports import webhooks
from shoal.ports.jobs import Jobs
from shoal.ports.system import Clock


@dataclass(frozen=True, slots=True)
class FanOutEvent:
    """Ids derive from the event: run again it writes nothing twice, and orders what is already under way.

    An event is told to the subscriptions of its own mode alone.
    """

    subscriptions: webhooks.Subscriptions
    account_secrets: webhooks.AccountSecrets
    deliveries: webhooks.Deliveries
    queue: webhooks.DeliveryQueue
    jobs: Jobs
    secret_box: webhooks.SecretBox
    new_secret: Callable[[], str]
    funds: webhooks.Funds
    clock: Clock

    def __call__(self, event: Event) -> int:
        """How many deliveries the event has, those missed included. Raises `Unavailable`."""
        account_id: str = event.detail["account_id"]
        lanes: dict[webhooks.Lane, list[Delivery]] = {lane: [] for lane in webhooks.Lane}
        for subscription in self.subscriptions.of_account(account_id):
            if subscription.test == event.test and subscription.wants(event.type):
                lanes[lane_of(subscription)].append(delivery_of(event, subscription))
        lanes[webhooks.Lane.CAREFUL] += self._to_requested_address(event, account_id)
        found = [delivery for deliveries in lanes.values() for delivery in deliveries]
        bounded = bool(found) and not self.funds.had_any(account_id)
        self.deliveries.open([replace(delivery, bounded=bounded) for delivery in found])
        for lane, deliveries in lanes.items():
            # Missed ones too: an earlier try, before the disabling, may have written them as pending.
            self.queue.send(lane, [each.order() for each in deliveries])
        return sum(map(len, lanes.values()))

    def _to_requested_address(self, event: Event, account_id: str) -> Iterator[Delivery]:
        """The delivery to the address that the job's own request named, if it did."""
        job_id = event.detail["data"].get("job_id")
        if event.type not in CLOSING_TYPES or not job_id:
            return
        try:
            url = self.jobs.get(account_id, job_id).submission.webhook_url
        except NotFound:  # an event that no job of ours caused
            return
        if url:
            self._ensure_secret(account_id, test=event.test)
            yield delivery_of_request(event, account_id, url)

    def _ensure_secret(self, account_id: str, *, test: bool) -> None:
        if self.account_secrets.get(account_id, test=test) is not None:
            return
        now_ms = self.clock.now_ms()
        sealed = self.secret_box.seal(self.new_secret(), account_id, requested(test=test))
        try:
            first = AccountSecret(account_id, Secrets(sealed), now_ms, now_ms, test)
            self.account_secrets.put(first, None, None, now_ms)
        except Unavailable:
            if self.account_secrets.get(account_id, test=test) is None:
                raise
            # Somebody else made it at the same time: theirs will do.


def lane_of(subscription: Subscription) -> webhooks.Lane:
    """The careful lane for an endpoint that is not known to be quick: there it keeps no other waiting."""
    return webhooks.Lane.QUICK if subscription.good else webhooks.Lane.CAREFUL
