"""Goldens: stored results of runs, trainings, scores and swarms, compared within tolerances.

Every case uses the public interface (`swarm_nca`), the command line and YAML, and needs no
downloads. After an intended change of behaviour, store the new numbers from the project's folder,
and check the printed list of changed numbers:

    python -m tests.goldens            # all cases
    python -m tests.goldens torus      # some of them

`numbers.npz` holds numbers; `words.json` holds data that must be equal exactly.
"""
