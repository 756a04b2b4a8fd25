"""One module a page: what it asks of the history, and the values that its template shows."""
