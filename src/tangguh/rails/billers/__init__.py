"""Bills by SNAP virtual account: inquiry, payment, status; one small file per biller family."""
