"""Outputs: fetched, checked, drawn, and where they are found."""
