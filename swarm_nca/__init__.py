"""swarm_nca."""
