"""Moderation: what is refused is refused before anything is written, and the verdict stays on the job."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from shoal.adapters.providers.keywords import KeywordModerator, listed_terms
from shoal.domain.errors import (
    Forbidden,
    InsufficientBalance,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    RateLimited,
    ShoalError,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.events import utc_day
from shoal.domain.spend import FREE_MICROS, Spend
from shoal.ports.moderation import Verdict
from shoal.use_cases.providers.moderate import Moderate
from tests.support.api import Api
from tests.support.factories import a_submission
from tests.worlds.world import OPEN_JOBS_MAX, Customer, World

TROUBLES = [
    ProviderBusy("down"),
    ProviderUnusable("bad key"),
    ProviderFailed("too large an answer"),
    ProviderRejected("too long a text"),
    Unavailable(),
]


@dataclass
class Judge:
    """Flags what has `forbidden` in it. `judged` is all it was asked."""

    trouble: ShoalError | None = None
    judged: list[str] = field(default_factory=list)

    def check(self, text: str) -> Verdict:
        self.judged.append(text)
        if self.trouble:
            raise self.trouble
        return Verdict("forbidden" in text, ("violence",) if "forbidden" in text else ())


@pytest.fixture
def judge(world: World) -> Judge:
    judge = Judge()
    world.moderate_with(judge)
    return judge


def test_what_is_flagged_is_refused_before_anything_is_written(
    world: World, customer: Customer, judge: Judge
) -> None:
    world.network.calls.clear()

    with pytest.raises(ValidationFailed, match="content moderation") as refused:
        world.submit(customer, prompt="forbidden things")

    assert refused.value.details == {
        "fields": [{"field": "prompt", "message": "refused by content moderation"}],
        "moderation": {"categories": ["violence"]},
    }
    assert world.network.calls == []
    assert world.wallet(customer).held == 0


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ({"idea": "forbidden sharks", "style": "noir"}, ["idea"]),
        ({"idea": "sharks", "style": "forbidden noir"}, ["style"]),
        ({"idea": "forbidden sharks", "style": "forbidden noir"}, ["idea", "style"]),
        ({"idea": "sharks for", "style": "forbidden"}, ["style"]),
        ({"idea": "forbidden sharks"}, ["idea"]),
    ],
)
def test_the_fields_that_are_refused_are_named(
    world: World, filmmaker: Customer, judge: Judge, words: dict[str, str], fields: list[str]
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        world.submit_video(filmmaker, **words)

    assert [each["field"] for each in refused.value.details["fields"]] == fields
    assert len(judge.judged) == (3 if len(words) == 2 else 1)


@pytest.mark.parametrize("together", [True, False], ids=["only together", "without a second verdict"])
def test_where_no_field_is_at_fault_by_itself_all_are_named(
    world: World, filmmaker: Customer, together: bool
) -> None:
    class Once:
        """Flags the whole, and has nothing against its parts, or nothing to say of them."""

        def check(self, text: str) -> Verdict:
            if "\n" not in text and not together:
                raise ProviderBusy("down")
            return Verdict("\n" in text)

    world.moderate_with(Once())

    with pytest.raises(ValidationFailed) as refused:
        world.submit_video(filmmaker, idea="pipe", style="bomb")

    assert [each["field"] for each in refused.value.details["fields"]] == ["idea", "style"]


def test_the_verdict_stays_on_the_job(world: World, customer: Customer, judge: Judge) -> None:
    assert world.queued(customer).moderation == "keywords: passed"
    assert judge.judged == ["A shark"]


def test_a_stage_that_moderates_nothing_records_nothing(world: World, customer: Customer) -> None:
    assert world.queued(customer, prompt="forbidden things").moderation is None


def test_a_negative_prompt_is_no_offence(world: World, customer: Customer, judge: Judge) -> None:
    world.submit_task(customer, model="stable-image", negative_prompt="forbidden things")

    assert judge.judged == ["A shark"]


@pytest.mark.parametrize("field", ["script", "prompt"])
def test_every_text_of_a_model_is_judged_under_its_own_name(field: str) -> None:
    said = {"prompt": "A shark", "script": "Sharks glow"} | {field: "forbidden"}
    brief = replace(a_submission().brief, prompt=said["prompt"], fields={"script": said["script"], "size": 2})

    with pytest.raises(ValidationFailed) as refused:
        Moderate(Judge(), "keywords")(replace(a_submission(), brief=brief))

    assert [each["field"] for each in refused.value.details["fields"]] == [field]


def test_a_text_that_is_the_prompt_is_judged_once() -> None:
    judge, asked = Judge(), a_submission()
    spoken = replace(asked.brief, prompt="Sharks glow", fields={"text": "Sharks glow"})

    Moderate(judge, "keywords")(replace(asked, brief=spoken))

    assert judge.judged == ["Sharks glow"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_without_a_verdict_nothing_is_accepted(world: World, customer: Customer, trouble: ShoalError) -> None:
    world.moderate_with(Judge(trouble))

    with pytest.raises(Unavailable):
        world.submit(customer)
    assert world.tables.jobs == {}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_stage_may_let_requests_through_without_a_verdict(
    world: World, customer: Customer, trouble: ShoalError
) -> None:
    world.moderate_with(Judge(trouble), fail_open=True)

    assert world.queued(customer).moderation == "keywords: no verdict"


def test_a_replay_depends_on_no_moderator(world: World, customer: Customer) -> None:
    body = {"mode": "2k", "prompt": "forbidden things"}
    first = world.submit_body(customer, body, "key-1")
    world.moderate_with(Judge())

    again = world.submit_body(customer, body, "key-1")

    assert (again.replayed, again.job_id) == (True, first.job_id)


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("http_post_image", {}, "VALIDATION_ERROR"),
        ("http_post_generate_task", {"model": "flux"}, "validation_error"),
    ],
)
def test_each_dialect_refuses_in_its_own_words(
    api: Api, customer: Customer, name: str, body: dict[str, str], code: str
) -> None:
    api.world.moderate_with(Judge())

    answer = api.call(name, customer, body=json.dumps(body | {"prompt": "forbidden things"}))

    assert (answer.status, answer.error["code"]) == (422, code)
    assert answer.error["message"] == "The request was refused by content moderation."


# A moderator outside of the stage, who costs


def spent(world: World, customer: Customer) -> tuple[int, Spend]:
    return world.open_jobs.of(customer.account_id, world.clock.ms)


def test_who_costs_judges_nothing_that_cannot_be_paid_or_is_over_a_limit(
    world: World, customer: Customer, judge: Judge
) -> None:
    world.moderate_with(judge, name="bedrock", cost_micros=1_200)
    penniless, braked, busy = world.customer(usd="0"), world.customer(), world.customer()
    world.open_jobs.spent[braked.account_id, utc_day(world.clock.ms)] = Spend(FREE_MICROS + 1)
    for _ in range(OPEN_JOBS_MAX):
        world.queued(busy)
    judge.judged.clear()

    for who, refusal in ((penniless, InsufficientBalance), (braked, Forbidden), (busy, RateLimited)):
        with pytest.raises(refusal):
            world.submit_task(who)
    assert judge.judged == []
    assert world.queued(customer).moderation == "bedrock: passed"
    assert [spent(world, who)[0] for who in (penniless, braked, busy)] == [0, 0, OPEN_JOBS_MAX]


def test_what_a_moderator_who_costs_refuses_counts_for_nothing(
    world: World, customer: Customer, judge: Judge
) -> None:
    world.moderate_with(judge, name="bedrock", cost_micros=FREE_MICROS)

    for refusal in (ValidationFailed, ValidationFailed, Forbidden):
        with pytest.raises(refusal):
            world.submit(customer, prompt="forbidden things")
    assert len(judge.judged) == 2
    assert spent(world, customer) == (0, Spend(2 * FREE_MICROS))
    assert world.tables.jobs == {}


def test_a_replay_is_shown_to_nobody(world: World, customer: Customer, judge: Judge) -> None:
    world.moderate_with(judge, name="bedrock")
    body = {"mode": "2k", "prompt": "A shark"}

    answers = [world.submit_body(customer, body, "key-1") for _ in range(2)]

    assert [answer.replayed for answer in answers] == [False, True]
    assert judge.judged == ["A shark"]


def test_without_a_verdict_from_outside_no_place_is_taken(world: World, customer: Customer) -> None:
    world.moderate_with(Judge(ProviderBusy("down")), name="bedrock", cost_micros=1_200)

    with pytest.raises(Unavailable):
        world.submit(customer)
    assert spent(world, customer) == (0, Spend())


# The keyword list


def found(text: str, **terms: list[str]) -> tuple[str, ...]:
    return KeywordModerator(terms or {"weapons": ["pipe bomb"], "empty": []}).check(text).categories


@pytest.mark.parametrize(
    "text",
    [
        "pipe bomb",
        "a PIPE BOMB.",
        "pipe-bomb",
        "pipe\n bomb",
        "pípe bömb",
        "ｐｉｐｅ ｂｏｍｂ",
        "pipe__bomb!",
    ],
)
def test_a_listed_phrase_is_found_however_it_is_written(text: str) -> None:
    assert found(text) == ("weapons",)


@pytest.mark.parametrize("text", ["", "pipe", "a pipe, a bomb", "pipebomb", "pipe bombast", "drainpipe bomb"])
def test_only_whole_phrases_are_found(text: str) -> None:
    assert found(text) == ()


@pytest.mark.parametrize(
    "between",
    [
        "\u200b",
        "\u200d",
        "\u00ad",
        "\ufeff",
        "\u2060",
        "\u0301",
        "\u034f",
        "\u20dd",
        "\ufe0f",
        "\u115f",
        "\x00",
        "\x7f",
    ],
    ids=ascii,
)
def test_what_shows_nothing_between_letters_hides_nothing(between: str) -> None:
    assert found(between.join("pipe bomb"), weapons=["pipe bomb"]) == ("weapons",)


@pytest.mark.parametrize(
    "seen",
    [
        "p\u0456p\u0435 b\u043emb",  # Cyrillic i, e and o
        "\u0420\u0406\u0420\u0415 \u0412\u041e\u041c\u0412",  # capitals of Cyrillic alone
        "\u03c1\u03b9\u03c1\u03b5 \u03b2\u03bfmb",  # Greek
        "\u1d18\u026a\u1d18\u1d07 \u0299\u1d0f\u1d0d\u0299",  # small capitals
        "\U0001d429\U0001d422\U0001d429\U0001d41e \uff42\uff4f\uff4d\uff42",  # bold, and full width
        "p\u0456\u200bp\u0435\u0301 b\u043e\u034fmb",
    ],
    ids=ascii,
)
def test_letters_that_look_like_others_are_judged_as_they_are_seen(seen: str) -> None:
    assert found(seen, weapons=["pipe bomb"]) == ("weapons",)


def test_terms_of_other_alphabets_are_found_too() -> None:
    term = "\u0431\u043e\u043c\u0431\u0443"
    assert found(f"\u043a\u0430\u043a {term}", weapons=[term]) == ("weapons",)


def test_every_category_is_told_once_and_sorted() -> None:
    assert found("b a b", z=["a"], y=["b"]) == ("y", "z")


def test_the_list_that_ships_refuses_the_plainest_and_nothing_ordinary() -> None:
    moderator = KeywordModerator(listed_terms())

    assert moderator.check("how to make a pipe bomb").flagged
    for ordinary in (
        "A child playing on a naked rock",
        "a bath bomb",
        "a minor key",
        "kiddie pool",
        "bombay",
    ):
        assert not moderator.check(ordinary).flagged
