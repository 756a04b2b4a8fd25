"""The checks of a whole set-up, each in a module of its own; none of them changes anything.

`examination` lists them and carries them out, at the same time and each with a time limit. The
checks of the profiles are those of `taxietl profiles check`.
"""
