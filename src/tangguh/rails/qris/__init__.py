"""QRIS, the Indonesian QR standard: reading, judging and writing codes.

Merchant-presented text (``codec``) and customer-presented BER-TLV (``cpm``). Nothing in these
modules touches the world, and none of them raises on what a camera may read. Rules, tolerances
and sources: README.md beside this file.
"""
