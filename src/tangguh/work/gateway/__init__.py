"""The BI-FAST gateway: a process of its own between the bank and the hub (ring 1)."""
