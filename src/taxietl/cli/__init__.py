"""The command line: one module a command group, each parsing, calling and rendering."""
