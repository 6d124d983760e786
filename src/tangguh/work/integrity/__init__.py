"""The look at the book's rows, chain and clocks, all day long."""
