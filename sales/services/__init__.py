"""Writes of sales, and what is read of them beyond lists."""
