"""Model texts of incidents, in Indonesian and English, filled from facts."""
