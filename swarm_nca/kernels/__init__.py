"""The layers of a rule for many cells, forward and backward.

Two kinds of kernels have one interface (`steps`): products of torch (`products`), and functions
that are compiled for the rule (`compiled`, `library`, kernel.c).
"""
