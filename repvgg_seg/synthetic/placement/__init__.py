"""Where the objects of a scene stand or move."""
