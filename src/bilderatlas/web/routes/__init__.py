"""Routes, one file a noun: parse → gather the page's data → render."""
