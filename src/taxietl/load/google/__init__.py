"""Google Cloud: whose account a profile is used with."""
