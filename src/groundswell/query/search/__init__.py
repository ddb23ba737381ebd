"""Text as people write it → frozen trees: searches, calls, equations, and the values in them."""
