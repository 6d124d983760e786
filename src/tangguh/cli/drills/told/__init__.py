"""Drills of being told: by the page, in the app, by a message, and when nobody is left to tell."""
