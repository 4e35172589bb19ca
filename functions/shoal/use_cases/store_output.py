"""StoreOutput: check what the provider delivered and put it where callers may fetch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Output
from shoal.domain.ports import Outputs, Staging
from shoal.domain.provider import Picture


@dataclass(frozen=True, slots=True)
class StoreOutput:
    staging: Staging
    outputs: Outputs
    inspect: Callable[[bytes], Picture]

    def __call__(self, job_id: str, delivered: Sequence[Mapping[str, str]]) -> tuple[Output, ...]:
        """The stored outputs. Raises `OutputInvalid` if there is none or one is not a usable picture.

        Keys derive from the job, so a repeated run writes the same objects again.
        """
        if not delivered:
            raise OutputInvalid("The provider delivered no image.")
        return tuple(self._store(job_id, index, item["key"]) for index, item in enumerate(delivered))

    def _store(self, job_id: str, index: int, staged_key: str) -> Output:
        data = self.staging.read(staged_key)
        picture = self.inspect(data)
        key = f"images/{job_id}/{index}.{picture.extension}"
        self.outputs.put(key, data, picture.content_type)
        return Output(key, picture.content_type, picture.width_px, picture.height_px, len(data))
