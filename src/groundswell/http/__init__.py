"""The API and the pages, and the composition root."""
