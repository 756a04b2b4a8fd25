"""What only the command line and the dashboard ask."""
