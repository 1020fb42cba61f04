"""Studies: experiments of many trainings that fill a table; each result is stored, to resume later.

Only the command `study` imports this package.
"""
