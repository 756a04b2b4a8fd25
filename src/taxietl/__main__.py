"""`python -m taxietl` is `taxietl`."""

from taxietl.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
