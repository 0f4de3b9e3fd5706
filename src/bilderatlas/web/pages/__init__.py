"""One file a page: the function that gathers its data, and the data."""
