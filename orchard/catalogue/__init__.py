"""The catalogue: a list of all jobs in the site's database, to search and sort them by."""
