"""Commands that read one message or code and say what is wrong with it."""
