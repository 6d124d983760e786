"""Money that networks bring: the decision about an announced credit, and the door it comes by."""
