"""How good, and how sensitive: pure formulas, and what is measured with them."""
