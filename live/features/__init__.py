"""Audio in, 35 causal features per 1/60 s out: the same class on stage and in training."""
