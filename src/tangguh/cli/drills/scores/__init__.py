"""What a drill asks, what it measures, and the picture of it."""
