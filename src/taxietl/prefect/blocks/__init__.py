"""`prefect.blocks`: what was a block is a profile, or a value, of the configuration."""
