"""What happens when a flow or task is called: engine, runs, task runs, attempts."""
