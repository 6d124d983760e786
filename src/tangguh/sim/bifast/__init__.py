"""The BI-FAST hub of the outside world, with other banks and their customers behind it."""
