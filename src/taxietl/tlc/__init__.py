"""What the TLC publishes: colours, months, eras, code tables. Pure data and pure functions."""
