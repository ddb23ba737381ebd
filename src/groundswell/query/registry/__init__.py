"""What words mean: every field and function, their types, and the expressions they stand for."""
