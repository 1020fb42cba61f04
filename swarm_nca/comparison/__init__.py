"""Compares rules: groups runs that differ only in their seed, and adds intervals to the scores.

`swarm-nca compare` evaluates every rule on the same pictures, stores the curves in the rule's
folder, and makes a table and figures for papers from them.
"""
