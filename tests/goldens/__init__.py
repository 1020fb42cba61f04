"""Goldens: what runs, trainings, scores and swarms came to, stored and compared within tolerances.

Every case goes through the public page (`swarm_nca`), the command line and YAML, and needs no data
that is downloaded. After a change of behaviour that is meant, store the new numbers from the
project's folder, and read the list that it prints of what moved, and how far:

    python -m tests.goldens            # all cases
    python -m tests.goldens torus      # some of them

`numbers.npz` holds numbers, `words.json` what must be equal to the letter.
"""
