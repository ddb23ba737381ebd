"""Labelled series, a generator of more, and the score of the detector on them."""
