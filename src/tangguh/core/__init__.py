"""Words everyone shares: money, ids, time, orders, outcomes, errors. Imports nothing of ours."""
