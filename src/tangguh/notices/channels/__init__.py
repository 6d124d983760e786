"""The ways out of the house: e-mail, SMS, web push, webhook, each behind the same port."""
