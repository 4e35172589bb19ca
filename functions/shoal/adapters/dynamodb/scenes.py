"""Scenes in the table: a video's script, and which of its clips are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shoal.adapters.dynamodb.items import scene_item, scene_key, scene_of
from shoal.adapters.dynamodb.table import ConditionFailed, Put, Table, TransactionRefused, Update
from shoal.domain.errors import NotFound
from shoal.domain.job import Job
from shoal.domain.script import SceneText
from shoal.domain.video import Scene

NEW = "attribute_not_exists(pk)"
EXISTS = "attribute_exists(pk)"

READ_AT_ONCE_MAX = 100
"""Items one BatchGetItem takes."""


class DynamoDbScenes:
    """Implements the `Scenes` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def write(self, job: Job, texts: Sequence[SceneText]) -> tuple[Scene, ...]:
        scenes = tuple(Scene(index, text.prompt, text.narration) for index, text in enumerate(texts))
        try:
            # One transaction: the scenes of two scripts must never mix.
            self._table.transact([Put(scene_item(job.id, scene), NEW) for scene in scenes])
        except TransactionRefused as refused:
            if not any(refused.failed(index) for index in range(len(scenes))):
                raise
            return self.of(job)
        return scenes

    def of(self, job: Job) -> tuple[Scene, ...]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk",
            ConsistentRead=True,
            values={":pk": scene_key(job.id, 0)[0]},
        )
        return tuple(scene_of(item) for items, _ in pages for item in items)

    def of_each(self, jobs: Sequence[Job]) -> Mapping[str, tuple[Scene, ...]]:
        keys = [(job.id, scene_key(job.id, index)) for job in jobs for index in range(job.output_count)]
        found: dict[str, tuple[Scene, ...]] = {}
        for first in range(0, len(keys), READ_AT_ONCE_MAX):
            some = keys[first : first + READ_AT_ONCE_MAX]
            items = self._table.get_several([key for _, key in some])
            for job_id, key in some:
                if key in items:
                    found[job_id] = (*found.get(job_id, ()), scene_of(items[key]))
        return found

    def get(self, job: Job, index: int) -> Scene:
        item = self._table.get(*scene_key(job.id, index))
        if item is None:
            raise NotFound("There is no such scene.")
        return scene_of(item)

    def mark_ready(self, job: Job, index: int, now_ms: int) -> Scene:
        expression = "SET ready_at_ms = if_not_exists(ready_at_ms, :now)"
        try:
            item = self._table.update(Update(scene_key(job.id, index), expression, EXISTS, {":now": now_ms}))
        except ConditionFailed:
            raise NotFound("There is no such scene.") from None
        return scene_of(item)
