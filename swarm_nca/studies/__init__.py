"""Experiments that fill a table: many trainings, kept one by one, so that a study can go on later.

A study lies apart from the framework: no other part of the package imports it, but its command.
"""
