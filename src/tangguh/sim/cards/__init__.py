"""A card switch, the banks and foreign ATMs behind it, and ATMs of the bank's own.

A second implementation of ISO 8583, which shares with the bank only the codec library.
"""
