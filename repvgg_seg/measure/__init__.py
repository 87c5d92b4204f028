"""Times, memory and operation counts of a call."""
