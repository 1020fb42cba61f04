"""Comparing rules: runs that differ only in their seed count as one, intervals say what to believe.

`swarm-nca compare` examines every rule by the same pictures, keeps the curves beside it, and makes
from them a table and figures for papers.
"""
