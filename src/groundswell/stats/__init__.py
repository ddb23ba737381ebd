"""The answers: series, top events and tables, from request parameters to what clients read."""
