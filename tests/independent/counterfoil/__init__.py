"""An independent verifier of Counterfoil's batches, written from the two SPECIFICATION.md files.

Python's standard library and one package for the group Ristretto255; everything else is here in plain Python.
It shares no code with the ledger, so what both accept does not rest on one reading of the specification.
"""
