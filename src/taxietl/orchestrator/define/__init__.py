"""What users write and hold: flows, tasks, parameters, policies, futures, streams. Runs nothing."""
