"""The SMART loop as Dagster assets, thin over `smartdb`."""
