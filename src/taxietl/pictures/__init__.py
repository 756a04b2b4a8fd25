"""Pictures of the data as HTML, for a page on its own as well as for the dashboard's.

    coverage_words  a letter and a word for each state of a month, and sentences
    coverage        years by months, each month with its rows

What they look like lies beside them, as `coverage.css`; it asks the page around it for the colours
`--card`, `--ink`, `--soft` and `--line`. No style is written into the HTML, which a page that
forbids that would lose.
"""
