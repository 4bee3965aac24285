"""Random dependency trees, with stock FastAPI as the oracle.

A description is drawn by hypothesis, written down as the source of an application, executed once
for each variant, and given the same requests; whatever can be seen of that has to be the same.
"""
