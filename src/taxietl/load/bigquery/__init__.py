"""From the lake into BigQuery by load jobs: no row goes through this machine.

`service` is what is asked of BigQuery, `plan` decides, `loading` has it done. A job's name says
what it loads, so that the same load is never begun twice.
"""
