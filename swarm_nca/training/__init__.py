"""Training: a pool of worlds, a recipe, and a trainer that can stop and resume at any iteration."""
