"""Looking at the book from outside it: one look, its three answers, and the looks of all day."""
