"""What the public is told: components, incidents, the page that outlives the bank; authorities."""
