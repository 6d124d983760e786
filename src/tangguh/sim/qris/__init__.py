"""A QRIS switch with its merchants: token, payment, query, cancel, refund, notice."""
