"""The MkDocs theme ``gengfu``: one template a page type (MkDocs finds a theme by this package)."""
