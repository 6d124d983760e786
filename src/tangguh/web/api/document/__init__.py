"""The documents of the bank's APIs (OpenAPI 3.1), made from the rows that make the routes."""
