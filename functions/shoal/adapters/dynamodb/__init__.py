"""The one table: `items` is its map, each other module a port over it."""
