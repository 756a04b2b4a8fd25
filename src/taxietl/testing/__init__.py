"""Tests for whoever writes a loader; they need pytest.

`loaders.LoaderTests` holds a loader to its protocol; `months` makes what it is given.
"""
