"""What changed, when, by how much, how sure, and why."""
