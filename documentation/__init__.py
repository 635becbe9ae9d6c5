"""How the site of the docs is made: what `make docs` needs besides mkdocs."""
