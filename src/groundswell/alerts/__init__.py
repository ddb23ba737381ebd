"""Rules that watch a number, and the incidents they open."""
