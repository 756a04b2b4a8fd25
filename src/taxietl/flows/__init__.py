"""The flows that the commands run: tasks wired to steps."""
