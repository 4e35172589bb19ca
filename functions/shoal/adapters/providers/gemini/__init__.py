"""Google's Gemini and Veo."""
