"""Label formats: a reader and a writer each, in a module named like the format."""
