"""Word to people: one message per matter, by push, SMS, e-mail, in the app or by webhook."""
