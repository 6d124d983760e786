"""The post: a mail server and an SMS gateway, and everybody's phone to read them on."""
