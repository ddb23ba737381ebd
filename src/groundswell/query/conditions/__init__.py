"""Filters on rows → expressions, by the kind of the key."""
