"""Everything that can go wrong at a call."""

from __future__ import annotations

from hypothesis import strategies as st

from shoal.domain.errors import Unavailable
from tests.fakes import Fault
from tests.support.executions import Crash

FAULTS = {
    "dies before": (Crash, False),
    "dies after": (Crash, True),
    "is out of reach": (Unavailable, False),
    "loses the reply": (Unavailable, True),
}


def different_calls(calls: list[str]) -> list[int]:
    """Every call of a story, except the many polls in the middle that are like those before."""
    repeated = [calls[:index].count(name) > 3 for index, name in enumerate(calls[:-15])]
    return [index for index in range(len(calls)) if not (index < len(repeated) and repeated[index])]


ANY_FAULT = st.builds(
    lambda index, kind: Fault(kind[0](), index=index, lost_reply=kind[1]),
    st.integers(0, 40),
    st.sampled_from(list(FAULTS.values())),
)
