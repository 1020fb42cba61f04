"""`python -m swarm_nca`: the command, for launchers that start modules, as `torchrun` does."""

from swarm_nca.cli import main

if __name__ == "__main__":
    main()
