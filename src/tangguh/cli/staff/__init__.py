"""``tangguh gate``, ``ladder``, ``change`` and ``rule``: operating protection and the way back."""
