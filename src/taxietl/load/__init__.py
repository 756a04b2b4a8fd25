"""Where rows go: one module a kind of warehouse, all taking the same stream."""
