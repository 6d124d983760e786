"""What the guard is told beside payments: a clock that was set, a network that answers again."""
