"""Whatever listens for strangers: limits of size, time and number, before anybody is believed."""
