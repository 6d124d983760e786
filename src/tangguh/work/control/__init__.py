"""The control room: what staff may do with gates, rules and the ladder, alone or in twos."""
