"""A question → the plan of one SELECT: what is selected, from which tables, in which passes."""
