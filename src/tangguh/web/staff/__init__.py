"""The staff API: gates, the way back, what people sign, the guard's rules."""
