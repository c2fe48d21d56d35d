"""Markdown in, a checked guide site, feeds and ``catalogue.json`` out."""
