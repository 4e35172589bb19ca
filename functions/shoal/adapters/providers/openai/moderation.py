"""OpenAI's moderation, https://platform.openai.com/docs/api-reference/moderations: free of charge."""

from __future__ import annotations

from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.ports.moderation import Verdict

READ_SECONDS = 8.0
"""Callers wait for the verdict."""


class OpenAiModerator:
    """Implements the `Moderator` port."""

    def __init__(self, http: OpenAiHttp, *, model: str) -> None:
        self._http = http
        self._model = model

    def check(self, text: str) -> Verdict:
        """Asking twice has no effect, so a lost answer is only `ProviderBusy`."""
        fields = {"model": self._model, "input": text}
        reply = self._http.post("/moderations", json=fields, repeatable=True, read_s=READ_SECONDS)
        match reply.json():
            case {"results": [{"flagged": bool(flagged), "categories": dict(categories)}]}:
                found = sorted(name for name, is_found in categories.items() if is_found is True)
                return Verdict(flagged, tuple(found) if flagged else ())
        raise reply.lost_answer("its answer is no verdict")
