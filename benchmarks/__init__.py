"""`make bench`: the product beside the least that gives the same answers; docs/performance.md says what it means."""
