"""Training: pairs, losses and loops; what computes gradients needs the laboratory (torch)."""
