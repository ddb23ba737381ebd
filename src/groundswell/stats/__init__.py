"""The answer: requests → questions → series and tables → the shapes that clients read."""
