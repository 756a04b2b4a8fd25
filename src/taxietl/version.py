"""The version of this package, alone so that all of it may ask."""

__version__ = "0.1.0"
