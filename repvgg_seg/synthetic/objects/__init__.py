"""One file for each kind of object: how it is drawn, and which random looks it can have."""
