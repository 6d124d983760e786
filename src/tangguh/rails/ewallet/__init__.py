"""E-wallets by SNAP: inquiry, top-up, status."""
