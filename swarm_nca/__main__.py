"""`python -m swarm_nca`: the command line, for launchers of modules such as `torchrun`."""

from swarm_nca.cli import main

if __name__ == "__main__":
    main()
