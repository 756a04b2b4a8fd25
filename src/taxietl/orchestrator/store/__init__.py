"""What is kept: states, rows, log lines, results, the cache, and the files they lie in."""
