"""Commands for whoever is on call: payments, complaints, incidents and customers, looked up."""
