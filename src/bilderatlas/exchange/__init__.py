"""Features that leave the house and come back: packages, their proof, and foreign formats."""
