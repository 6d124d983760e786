"""Gates as the book has them: the judgement of orders, changes of closures, what waits."""
