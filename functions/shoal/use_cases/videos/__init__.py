"""The steps of a video: script, narration, scenes, and the file that is made of them."""
