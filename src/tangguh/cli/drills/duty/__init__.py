"""People and processes on duty: what an insider cannot do, and what holds when all are gone."""
