"""What customers complain of and what they are told, as pages."""
