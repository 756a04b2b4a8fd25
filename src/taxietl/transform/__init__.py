"""From a published file to clean batches: reading, conforming, and the named rules."""
