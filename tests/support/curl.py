"""What a curl command of a document or a page sends."""

from __future__ import annotations

import shlex

import requests

ANSWER_SECONDS_MAX = 20


def curl(command: str, **variables: str) -> requests.Response:
    """Send what a curl command would, its variables put in; not every machine has curl."""
    for name, value in variables.items():
        command = command.replace(name, value)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "curl"
    options: dict[str, list[str]] = {"-X": [], "-H": [], "-d": []}
    urls = []
    arguments = iter(words[1:])
    for word in arguments:
        if word in options:
            options[word].append(next(arguments))
        else:
            urls.append(word)
    headers = dict(header.split(": ", 1) for header in options["-H"])
    return requests.request(
        options["-X"][0],
        urls[0],
        headers=headers,
        data=options["-d"][0].encode(),
        timeout=ANSWER_SECONDS_MAX,
    )
