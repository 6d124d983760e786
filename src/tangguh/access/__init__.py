"""Who may do what: PINs, sessions, lockout, rates. Knows customers by number only."""
