"""The meaning of a question: text → tokens → tree → resolved plan → passes → one SELECT. Pure."""
