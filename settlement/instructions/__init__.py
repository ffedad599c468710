"""Builders of the program's instructions, one function each, one module for each subject of :mod:`..layout`.

They derive the program's own addresses; everybody else's are arguments. Nothing here asks the chain.
"""
