"""Training: a pool of worlds, a recipe, and a trainer that can stop at any iteration and go on."""
