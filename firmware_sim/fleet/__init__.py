"""A fleet: households that live with their gadgets for days, on all cores, each turn judged by what is so afterwards.

A shard of households is a pure function of its description, so that any machine that can run a function can run it.
"""
