"""What only payments to our own merchants have: bills, the discount, a day's takings."""
