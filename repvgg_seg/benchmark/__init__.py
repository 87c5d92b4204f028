"""What is timed and compared: networks, kernels, training iterations, data loading; the tables of the paper."""
