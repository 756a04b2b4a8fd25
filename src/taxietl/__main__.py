"""`python -m taxietl` is `taxietl`."""

from taxietl.cli.main import entry

if __name__ == "__main__":
    entry()
