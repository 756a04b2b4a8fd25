"""What the commands do, as functions for notebooks and scripts: `taxietl.ingest(…)`.

They are offered by `taxietl` itself, which loads this package on their first use.
"""
