"""The HTTP door: the customers' JSON API and app, and the partners' callbacks."""
