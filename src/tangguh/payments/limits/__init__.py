"""What customers may use of a service in a day and a month, and what they have used."""
