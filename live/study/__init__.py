"""An audience test: films of dances, graded by people who are not told whose they are, on a page without a server."""
