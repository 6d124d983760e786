"""What we ask of the switch: messages made from an instruction alone."""
