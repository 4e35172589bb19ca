"""The request of a form as code to copy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

HIDDEN_KEY = "$SHOAL_API_KEY"


def snippets(url: str, body: Mapping[str, Any]) -> dict[str, str]:
    """By language, in the order they are shown. The key comes from the environment they run in."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return {"curl": _curl(url, text), "Python": _python(url, body), "JavaScript": _javascript(url, text)}


def _curl(url: str, text: str) -> str:
    return (
        f"curl -X POST {shlex.quote(url)} \\\n"
        f'  -H "Authorization: Bearer {HIDDEN_KEY}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(text)}"
    )


def _python(url: str, body: Mapping[str, Any]) -> str:
    pairs = "".join(f"        {name!r}: {value!r},\n" for name, value in body.items())
    return (
        "import os\n\nimport requests\n\n"
        "answer = requests.post(\n"
        f"    {url!r},\n"
        '    headers={"Authorization": f"Bearer {os.environ[\'SHOAL_API_KEY\']}"},\n'
        f"    json={{\n{pairs}    }},\n"
        "    timeout=30,\n"
        ")\n"
        "answer.raise_for_status()\n"
        "print(answer.json())"
    )


def _javascript(url: str, text: str) -> str:
    indented = text.replace("\n", "\n  ")
    return (
        f"const answer = await fetch({json.dumps(url)}, {{\n"
        '  method: "POST",\n'
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.SHOAL_API_KEY}`,\n"
        '    "Content-Type": "application/json",\n'
        "  },\n"
        f"  body: JSON.stringify({indented}),\n"
        "});\n"
        "if (!answer.ok) throw new Error(await answer.text());\n"
        "console.log(await answer.json());"
    )
