"""The provider that needs no key: it draws, films and speaks, and misbehaves when asked to."""
