"""What is timed and compared, one file for each benchmark, with the figures of the paper beside."""
