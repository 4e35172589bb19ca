"""Words in texts. Nothing is drawn here: the script writer's function does not carry Pillow."""

import re


def count(words: str, text: str) -> int:
    """How many of the words the text holds; as whole words, except in scripts that do not space them."""
    patterns = (rf"\b{word}(?:e?s)?\b" if word.isascii() else word for word in words.split())
    return sum(bool(re.search(pattern, text)) for pattern in patterns)
