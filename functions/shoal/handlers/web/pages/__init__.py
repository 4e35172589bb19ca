"""What the dashboard shows and does, a module for each part of it."""
