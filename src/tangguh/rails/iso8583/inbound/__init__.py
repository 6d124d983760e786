"""What a peer asks of us, read into facts: whose, how much in which money, for whom, which one."""
