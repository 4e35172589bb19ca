"""`python -m tests.chaos.server`: the local cloud's server, with the faults in it."""

from infra.local import ministack
from tests.chaos.faults import Faults

if __name__ == "__main__":
    ministack.main(Faults)
