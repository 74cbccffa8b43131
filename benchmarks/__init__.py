"""Every speed that the docs claim, as one command each: ``python -m benchmarks [NAME ...]``.

A module here is a benchmark if it has ``main(quick: bool)``, which prints one table.
"""
