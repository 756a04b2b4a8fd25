"""The dashboard, `taxietl ui`: the history as web pages, which it reads and never keeps a copy of.

    server      the address it listens on, and the file that says so while it is up
    access      the token, and what is made of it: the session's cookie and the token of forms
    guards      what every request meets first: its host, its size, its right to be here
    app         the routes
    forms       what a form holds
    dashboard   what all pages share: the history, the settings, how pages are rendered
    rendering   templates, and how times, sizes and texts of others are shown in them
    assets      the few files of our own that a page loads, each under a name with its hash
    pages/      one module a page: what it asks, and the values that its template shows
    schedules   the schedules of the home as they are now
    timeline    where on a time line the runs and task runs of a tree lie       (pure)
    markdown    notes of others as HTML, and nothing of theirs as markup        (pure)
    tallies     what became of the rows of a load                               (pure)
    metrics     figures for Prometheus
    api         the same for programs, as JSON; `openapi` describes it
    asking      asks warehouses and lakes, which may be slow, and waits only so long
    live        tells open pages that something has changed
    flow_forms  a form for a flow, made from its type hints            (pure)
    beginning   starts what runs a flow, in a process of its own
    actions     what buttons do, each by a command of taxietl in a process of its own

Everything is rendered here; without scripts only the liveness is missing. Loaded by `taxietl ui`
alone, with Starlette and the rest of the extra `ui`.
"""
