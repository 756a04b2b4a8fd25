"""The lake: months as Parquet files in a bucket, or in a folder laid out alike, and their record.

`store` is the one seam between the two; the rest knows neither Google nor the disk.
"""
