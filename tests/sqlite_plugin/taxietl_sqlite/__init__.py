"""Months of taxi trips in SQLite files: a profile type and a loader for taxietl."""
