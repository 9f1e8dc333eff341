"""What was seen: the journal (exact, ordered, short) and the telemetry store (queryable, long)."""
