"""Complaints as every door handles them: whose a case is, what may be sent, and its words."""
