"""What the guard and the ladder are told beside payments: senses, clocks, networks that answer."""
