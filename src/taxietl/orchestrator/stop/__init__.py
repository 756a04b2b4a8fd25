"""How a run is told to stop, and made to."""
