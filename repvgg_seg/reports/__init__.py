"""Records of measurements with their environment, and the tables and plots made from them."""
